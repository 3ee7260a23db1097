"""``send_email``: the message that a config makes, what is refused, and the Message-ID that stays."""

from typing import Any

import pytest

from app.actions.addresses import split_list
from app.actions.base import Ports
from app.actions.send_email import SendEmail
from app.adapters.mail.smtp import SmtpServer, open_mailer
from app.embedded.mail import Mailbox
from app.ports import MailMessage
from tests.support.commands import COMMAND_ID, context_of, failure_of, prepared, wrong_paths
from tests.support.fake_http import FakeHttp
from tests.support.fake_mailer import FakeMailer

SENDER = "The Shop <shop@shop.example>"


def _mail(config: dict[str, Any], data: dict[str, Any] | None = None) -> MailMessage:
    made = prepared("send_email", {"subject": "Hi", "text": "t", **config}, data)
    assert isinstance(made, MailMessage)
    return made


def test_by_default_it_goes_to_the_customer() -> None:
    """Without ``to`` the event's customer is the recipient; subject and text are rendered."""
    mail = _mail({"subject": "Order {{ order.id }}\n", "text": "Dear {{ customer.name }}"})
    assert list(mail.to) == ["ada@customers.example"]
    assert (mail.subject, mail.text, mail.html) == ("Order 42", "Dear Ada <b>", None)


def test_only_html_is_escaped() -> None:
    """What variables bring in is escaped in the HTML part, and nowhere else."""
    mail = _mail({"text": "{{ customer.name }}", "html": "<p>{{ customer.name }}</p>"})
    assert (mail.text, mail.html) == ("Ada <b>", "<p>Ada &lt;b&gt;</p>")


def test_lists_may_be_written_with_commas() -> None:
    """A list, or one string with commas; quotes and templates hold together; empty ones drop out."""
    mail = _mail(
        {
            "to": '"Silva, João" <joao@customers.example>, {{ customer.email }}',
            "cc": ['{{ customer.name | replace("<b>", "") }} <ada@other.example>', "{{ customer.none | default('') }}"],
            "reply_to": "support@shop.example",
        }
    )
    assert list(mail.to) == ['"Silva, João" <joao@customers.example>', "ada@customers.example"]
    assert [box.partition("<")[2] for box in mail.cc] == ["ada@other.example>"]
    assert mail.reply_to == "support@shop.example"


@pytest.mark.parametrize(
    ("source", "pieces"),
    [
        ("a@b.example", ["a@b.example"]),
        ("a@b.example,c@d.example , ", ["a@b.example", "c@d.example"]),
        ("{{ x | default('a,b') }}, c@d.example", ["{{ x | default('a,b') }}", "c@d.example"]),
        ("{% if a, b %}x{% endif %}", ["{% if a, b %}x{% endif %}"]),
        ('"A, \\"B" <a@b.example>,c@d.example', ['"A, \\"B" <a@b.example>', "c@d.example"]),
        ("", []),
    ],
)
def test_lists_are_taken_apart_as_they_were_written(source: str, pieces: list[str]) -> None:
    """Commas within templates and quotes do not separate."""
    assert split_list(source) == pieces


@pytest.mark.parametrize(
    ("config", "paths"),
    [
        ({"subject": "s"}, ["config.text"]),
        ({"text": "t"}, ["config.subject"]),
        ({"subject": "s", "text": "t", "to": "nobody"}, ["config.to[0]"]),
        ({"subject": "s", "text": "t", "cc": ["a@b.example, c@d.example"]}, ["config.cc[0]"]),
        ({"subject": "s", "text": "t", "reply_to": "x"}, ["config.reply_to"]),
        ({"subject": "s", "text": "t", "to": ["a@b.example"] * 51}, ["config.to"]),
        ({"subject": "s", "text": "t", "from": "a@b.example"}, ["config.from"]),
    ],
)
def test_what_is_wrong_is_refused_on_save(config: dict[str, Any], paths: list[str]) -> None:
    """No body, no subject, what is no address, too many of them, a sender of one's own: refused by field."""
    assert wrong_paths("send_email", config) == paths


@pytest.mark.parametrize(
    ("config", "email", "field"),
    [
        ({}, "a@b.example, victim@c.example", "to[0]"),
        ({}, "a@b.example\r\nBcc: victim@c.example", "to[0]"),
        ({}, "a@b.example>, <victim@c.example", "to[0]"),
        ({}, "nobody", "to[0]"),
        ({}, "a@b..example", "to[0]"),
        ({}, "a b@c.example", "to[0]"),
        ({}, "a@b.example\x00", "to[0]"),
        ({}, "", "to"),
        ({"to": "{{ customer.email }}, ok@b.example"}, "x@y.example, z@y.example", "to[0]"),
        ({"bcc": ["{{ customer.email }}"], "to": "ok@b.example"}, "no", "bcc[0]"),
        ({"reply_to": "{{ customer.email }}", "to": "ok@b.example"}, "a@b.example,c@d.example", "reply_to"),
        ({"subject": "{{ customer.email }}", "to": "ok@b.example"}, "Hi\nBcc: victim@c.example", "subject"),
        ({"subject": "{{ customer.email }}", "to": "ok@b.example"}, " ", "subject"),
        ({"subject": "{{ customer.email }}", "to": "ok@b.example"}, "x" * 501, "subject"),
        ({"text": "{{ customer.email }}", "to": "ok@b.example"}, "a\x00", "text"),
        ({"html": "{{ customer.email }}", "to": "ok@b.example"}, "a\x00", "html"),
    ],
)
def test_data_cannot_add_recipients_or_headers(config: dict[str, Any], email: str, field: str) -> None:
    """Whatever an event holds, one template is one address and a header is one line; the failure names the field."""
    whole = {"subject": "s", "text": "t", **config}
    assert failure_of("send_email", whole, {"customer": {"id": "c", "email": email}}).startswith(f"{field}: ")


async def test_every_attempt_carries_the_same_message_id(mailbox: Mailbox) -> None:
    """Over SMTP: sent twice after a lost answer, both copies have the command's Message-ID, under our domain."""
    request = _mail({"bcc": "audit@shop.example"})
    async with open_mailer(SmtpServer("127.0.0.1", mailbox.smtp_port)) as mailer:
        ports = Ports(http=FakeHttp(), mail=mailer, mail_from=SENDER)
        outputs = [await SendEmail().perform(request, ports, context_of()) for _ in range(2)]
    expected = f"<{COMMAND_ID}@shop.example>"
    assert outputs == [{"message_id": expected, "recipients": 2}] * 2
    assert [(mail.message_id, mail.sender) for mail in mailbox.mails] == [(expected, "shop@shop.example")] * 2


async def test_the_fake_takes_what_the_server_takes() -> None:
    """The action hands over the sender of the settings, whatever the config says."""
    mailer = FakeMailer()
    await SendEmail().perform(_mail({}), Ports(FakeHttp(), mailer, SENDER), context_of())
    assert mailer.messages[0].sender == SENDER
