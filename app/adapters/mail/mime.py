"""A rendered e-mail as the bytes that go over SMTP."""

from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from app.domain.errors import ActionFailedError
from app.domain.mailboxes import parse_mailbox
from app.ports import MailMessage

# 7bit: every server takes it, so nothing needs to be asked of the one we meet.
_POLICY: Final = policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a mail server is told: sender, every recipient (bcc too), and the message's bytes."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes


def build_envelope(message: MailMessage, now: datetime) -> Envelope:
    """Build the bytes of a message; bcc recipients are in the envelope and in no header.

    Raises:
        ActionFailedError: Permanent; an address or a header cannot be written.
    """
    recipients = tuple(dict.fromkeys(_address(box).addr_spec for box in (*message.to, *message.cc, *message.bcc)))
    try:
        data = _mime(message, now).as_bytes(policy=_POLICY)
    except (ValueError, UnicodeError) as error:
        raise ActionFailedError(f"the message cannot be written ({type(error).__name__})", permanent=True) from error
    return Envelope(_address(message.sender).addr_spec, recipients, data)


def _mime(message: MailMessage, now: datetime) -> EmailMessage:
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = _address(message.sender)
    mail["To"] = [_address(box) for box in message.to]
    if message.cc:
        mail["Cc"] = [_address(box) for box in message.cc]
    if message.reply_to:
        mail["Reply-To"] = _address(message.reply_to)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = message.message_id
    if message.text or not message.html:
        mail.set_content(message.text)
        if message.html:
            mail.add_alternative(message.html, subtype="html")
    else:
        mail.set_content(message.html or "", subtype="html")
    return mail


def _address(mailbox: str) -> Address:
    parsed = parse_mailbox(mailbox)
    if parsed is None:
        raise ActionFailedError(f"{mailbox[:100]!r} is not one e-mail address", permanent=True)
    return Address(parsed[0], addr_spec=parsed[1])
