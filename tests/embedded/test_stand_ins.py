"""The mail server and the webhook receiver: they refuse what the standards refuse and keep what arrived, in order."""

import smtplib
from asyncio import to_thread
from email.message import EmailMessage
from typing import Any

import aiohttp
import pytest

from app.embedded.mail import Mailbox
from app.embedded.mail_rules import address_fault
from app.embedded.webhook_receiver import WebhookReceiver
from tests.support.deadlines import scaled

_HEADERS = {
    "From": "Shop <shop@example.com>",
    "To": "Ada <ada@example.com>",
    "Date": "Mon, 23 Nov 2026 10:00:00 +0000",
    "Message-ID": "<one@example.com>",
    "Subject": "Grüße",
}


def _message(**changed: str | None) -> bytes:
    headers = {**_HEADERS, **{name.replace("_", "-"): value for name, value in changed.items()}}
    message = EmailMessage()
    for name, value in headers.items():
        if value is not None:
            message[name] = value
    message.set_content("Hello\n")
    message.add_alternative("<p>Hello</p>", subtype="html")
    return message.as_bytes()


def _send(port: int, raw: bytes, recipient: str = "ada@example.com") -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=scaled(5)) as client:
        client.sendmail("shop@example.com", [recipient], raw)


async def test_a_message_is_kept_and_shown(mailbox: Mailbox) -> None:
    """Envelope, Message-ID, headers and both bodies are there, in process and over HTTP, markup as text."""
    await to_thread(_send, mailbox.smtp_port, _message())
    mail = mailbox.mails[0]
    assert (mail.sender, mail.recipients) == ("shop@example.com", ("ada@example.com",))
    assert (mail.message_id, mail.subject) == ("<one@example.com>", "Grüße")
    assert (mail.text.strip(), mail.html.strip()) == ("Hello", "<p>Hello</p>")
    async with aiohttp.ClientSession() as client:
        async with client.get(f"{mailbox.url}/messages") as answer:
            assert (await answer.json())["messages"][0]["message_id"] == "<one@example.com>"
        async with client.get(mailbox.url) as page:
            assert "ada@example.com" in await page.text()


@pytest.mark.parametrize("missing", ["From", "Date", "Message_ID"])
async def test_a_message_without_a_needed_header_is_refused(mailbox: Mailbox, missing: str) -> None:
    """RFC 5322 needs From and Date; we need a Message-ID, to tell a repeat."""
    with pytest.raises(smtplib.SMTPDataError, match=f"{missing.replace('_', '-')} is missing"):
        await to_thread(_send, mailbox.smtp_port, _message(**{missing: None}))
    assert not mailbox.mails


async def test_malformed_headers_are_refused(mailbox: Mailbox) -> None:
    """A Message-ID without brackets and a date that is none are refused."""
    for raw, fault in (
        (_message().replace(b"<one@example.com>", b"one"), "Message-ID is malformed"),
        (_message().replace(b"Mon, 23 Nov 2026 10:00:00 +0000", b"yesterday"), "Date is malformed"),
        (b"From: twice@example.com\r\n" + _message(), "From stands more than once"),
        (_message() + b"x" * 999, "Line too long"),
    ):
        with pytest.raises(smtplib.SMTPDataError, match=fault):
            await to_thread(_send, mailbox.smtp_port, raw)


async def test_a_malformed_recipient_is_refused(mailbox: Mailbox) -> None:
    """The envelope takes mailboxes only."""
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        await to_thread(_send, mailbox.smtp_port, _message(), "ada@-example.com")
    assert mailbox.refused


@pytest.mark.parametrize(
    ("address", "fine"),
    [
        ("ada@example.com", True),
        ('"a b"@example.com', True),
        ("ada@[127.0.0.1]", True),
        ("ada", False),
        ("ada@", False),
        ("a b@example.com", False),
        (".ada@example.com", False),
        ("ada@example..com", False),
        (f"{'a' * 65}@example.com", False),
    ],
)
def test_addresses_follow_rfc_5321(address: str, *, fine: bool) -> None:
    """Dot-atoms, quoted strings and address literals pass; the rest does not."""
    assert (address_fault(address) is None) is fine


async def test_webhooks_are_kept_in_order_of_arrival(receiver: WebhookReceiver) -> None:
    """Path, key, type and body of each POST are there, numbered; the list can be read on from a number."""
    async with aiohttp.ClientSession() as client:
        for key in ("first", "second"):
            async with client.post(f"{receiver.url}/hook?x=1", json={"n": key}, headers={"Idempotency-Key": key}):
                pass
        async with client.get(f"{receiver.url}/deliveries?after=1") as answer:
            listed = await answer.json()
    assert [(one.number, one.path, one.key) for one in receiver.deliveries] == [
        (1, "/hook?x=1", "first"),
        (2, "/hook?x=1", "second"),
    ]
    assert receiver.deliveries[0].json() == {"n": "first"}
    assert listed["count"] == 2
    assert [one["key"] for one in listed["deliveries"]] == ["second"]


async def test_what_is_malformed_is_refused(receiver: WebhookReceiver) -> None:
    """No key, two keys, or JSON that is none: 400, and it is not kept."""
    bad = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    async with aiohttp.ClientSession() as client:
        for headers, body in (
            ([("Content-Type", "text/plain")], b"x"),
            ([("Idempotency-Key", "a"), ("Idempotency-Key", "b")], b"x"),
            (list(bad.items()), b"{"),
        ):
            async with client.post(f"{receiver.url}/hook", data=body, headers=headers) as answer:
                assert answer.status == 400
    assert receiver.count == 0
    assert len(receiver.refused) == 3


async def test_the_receiver_forgets_the_oldest() -> None:
    """Memory is bounded; the count goes on."""
    server = WebhookReceiver(kept=2)
    await server.start()
    try:
        async with aiohttp.ClientSession() as client:
            for key in "abc":
                async with client.post(server.url, data=b"x", headers={"Idempotency-Key": key}) as answer:
                    assert answer.status == 200
        assert [one.key for one in server.deliveries] == ["b", "c"]
        assert server.count == 3
    finally:
        await server.stop()


async def test_the_newest_are_listed_by_how_they_begin_and_one_is_shown_whole(mailbox: Mailbox) -> None:
    """Newest first, at most so many, before a moment; of a number that is not kept there is none."""
    for number in range(3):
        await to_thread(_send, mailbox.smtp_port, _message(Subject=f"{number}", Message_ID=f"<{number}@example.com>"))
    async with aiohttp.ClientSession(mailbox.url) as client:

        async def got(path: str) -> Any:
            async with client.get(path) as answer:
                return (await answer.json()) if answer.status == 200 else answer.status

        newest = (await got("/recent?most=2"))["items"]
        assert [one["subject"] for one in newest] == ["2", "1"]
        assert [one["subject"] for one in (await got(f"/recent?before={newest[1]['received_at']}"))["items"]] == ["0"]
        assert (await got("/kept/1"))["html"].strip() == "<p>Hello</p>"
        assert [await got(f"/kept/{number}") for number in (0, 4)] == [404, 404]
