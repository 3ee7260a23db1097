"""``send_email``: an e-mail by SMTP, with a Message-ID made from the command id: the same on every attempt."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from app.actions.addresses import mailbox, split_list
from app.actions.base import ActionContext, CompiledConfig, LeasedAction, MessageTextSpec, Ports
from app.actions.constants import judged_on_save
from app.actions.message_text import FROM_TEMPLATE, MessageTextConfig, NeededWords, OptionalWords
from app.actions.shown import Shown, Way, form
from app.actions.templated import Templated
from app.actions.values import filled_line, refuse, text
from app.domain.mailboxes import domain_of
from app.ports import MailMessage
from schemas.together import Together, Wrong

MAX_RECIPIENTS: Final = 50
MAX_SUBJECT_CHARS: Final = 500
MAX_PART_BYTES: Final = 256 * 1024


def _as_list(value: Any) -> Any:
    return split_list(value) if isinstance(value, str) else value


Address = Annotated[str, judged_on_save(partial(mailbox, quote=True))]
Addresses = Annotated[
    list[Address],
    BeforeValidator(_as_list, json_schema_input_type=list[str] | str),
    Templated(),
    Field(max_length=MAX_RECIPIENTS),
]
_part: Final = partial(text, max_bytes=MAX_PART_BYTES)
_COPY: Final = "Who else gets it, with commas between several."


def _some(field: str, addresses: list[str]) -> None:
    if not any(address.strip() for address in addresses):
        refuse(field, "no recipient")


class SendEmailConfig(Together, MessageTextConfig):
    """What to send, to whom: words of its own, or a message template.

    Addresses: a list, or one string with commas; each item renders to one address.
    """

    model_config = form(
        "Send an e-mail",
        "Writes to the customer, or to anybody else.",
        icon="outbox",
        family="Messages",
        message="email",
        summary=("“{subject}” to {to}", "template {template} to {to}", "to {to}"),
        choices={"The words": (Way("Write them here", ("subject", "text", "html")), FROM_TEMPLATE)},
    )

    to: Annotated[
        Addresses,
        Shown("To", "Who gets it, with commas between several addresses.", "addresses"),
        judged_on_save(_some),
    ] = Field(default=["{{ customer.email }}"])
    cc: Annotated[Addresses, Shown("Copy to", f"{_COPY} Everybody sees that.", "addresses", more=True)] = Field(
        default=[]
    )
    bcc: Annotated[Addresses, Shown("Hidden copy to", f"{_COPY} Nobody else sees that.", "addresses", more=True)] = (
        Field(default=[])
    )
    reply_to: Annotated[
        Address,
        Templated(),
        Shown("Answers go to", "The address that an answer is sent to, if not to the sender.", "line", more=True),
        Field(description="One address"),
    ] = ""
    subject: Annotated[
        str,
        Templated(),
        NeededWords,
        Shown("Subject", "The line that people see first.", "line", example="Thank you, {{ customer.name }}"),
        Field(validate_default=True),
        judged_on_save(partial(filled_line, max_chars=MAX_SUBJECT_CHARS)),
    ] = ""
    text: Annotated[
        str,
        Templated(),
        OptionalWords,
        Shown("Text", "The message in plain words; also what is shown where HTML is not.", "text"),
        Field(description="The plain text part"),
        judged_on_save(_part),
    ] = ""
    html: Annotated[
        str,
        Templated(html=True),
        OptionalWords,
        Shown("HTML", "The same message with its layout, if you have one.", "html"),
        Field(description="The HTML part; what variables bring in is escaped"),
        judged_on_save(_part),
    ] = ""

    @classmethod
    def wrong_together(cls, written: Mapping[str, Any]) -> Iterator[Wrong]:
        """A part is needed."""
        if not written.get("text") and not written.get("html") and written.get("template") is None:
            yield "text", "text or html is needed, or a template"


class SendEmail(LeasedAction[SendEmailConfig, MailMessage]):
    """Sends an e-mail; output ``{message_id, recipients}``."""

    name = "send_email"
    family = "notification"
    config = SendEmailConfig
    message_text = MessageTextSpec("email", {"subject": "subject", "text": "text", "html": "html"})
    takes_secrets = True
    at_once = 10  # a mail server bears some dozens of connections from one client; both lanes share the mailer's 20

    def prepare(self, config: CompiledConfig[SendEmailConfig], context: ActionContext) -> MailMessage:
        """Render and check addresses, subject and parts. The sender is filled in when it is sent."""
        fields = config.render(context.scope)
        quote = not config.secrets
        to, cc, bcc = (_mailboxes(name, fields[name], quote=quote) for name in ("to", "cc", "bcc"))
        _some("to", to)
        html = _part("html", fields["html"])
        return MailMessage(
            message_id=str(context.effect_id),
            sender="",
            to=to,
            cc=cc,
            bcc=bcc,
            reply_to=mailbox("reply_to", fields["reply_to"], quote=quote) or None,
            subject=filled_line("subject", fields["subject"], max_chars=MAX_SUBJECT_CHARS),
            text=_part("text", fields["text"]),
            html=html or None,
        )

    async def perform(self, request: MailMessage, ports: Ports, context: ActionContext) -> dict[str, Any]:
        """Hand the message to the mail server, once."""
        message_id = f"<{request.message_id}@{domain_of(ports.mail_from)}>"
        message = replace(request, sender=ports.mail_from, message_id=message_id)
        await ports.mail.send(message, within=context.within)
        return {"message_id": message_id, "recipients": len(request.to) + len(request.cc) + len(request.bcc)}


def _mailboxes(name: str, values: list[Any], *, quote: bool) -> list[str]:
    found = (mailbox(f"{name}[{i}]", value, quote=quote) for i, value in enumerate(values))
    return [address for address in found if address]
