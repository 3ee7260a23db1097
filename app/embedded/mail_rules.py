"""What a strict mail server refuses: RFC 5321 addresses, RFC 5322 headers. Pure; a fault is one line, None is fine."""

import re
from datetime import datetime
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_QUOTED = r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"'
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAILBOX = re.compile(rf"({_ATEXT}(?:\.{_ATEXT})*|{_QUOTED})@({_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])")
_MESSAGE_ID = re.compile(rf"<{_ATEXT}(?:\.{_ATEXT})*@(?:{_ATEXT}(?:\.{_ATEXT})*|\[[^\[\]\\\s]+\])>")
_LOCAL_PART_OCTETS = 64
_DOMAIN_OCTETS = 255
_SINGLE = ("From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Message-ID", "Date", "Subject")


def address_fault(address: str) -> str | None:
    """Return what is wrong with an envelope address (RFC 5321, 4.1.2 and 4.5.3.1)."""
    found = _MAILBOX.fullmatch(address)
    if found is None:
        return "not a mailbox"
    if len(found.group(1)) > _LOCAL_PART_OCTETS or len(found.group(2)) > _DOMAIN_OCTETS:
        return "mailbox too long"
    return None


def message_fault(message: EmailMessage) -> str | None:
    """Return what is wrong with a message (RFC 5322, 3.3 and 3.6); long lines the server itself refuses."""
    for name in _SINGLE:
        if len(message.get_all(name, [])) > 1:
            return f"{name} stands more than once"
    for name in ("From", "Date", "Message-ID"):
        if not str(message[name] or "").strip():
            return f"{name} is missing"
    return _id_fault(message) or _date_fault(message) or _mailboxes_fault(message)


def _id_fault(message: EmailMessage) -> str | None:
    return None if _MESSAGE_ID.fullmatch(str(message["Message-ID"]).strip()) else "Message-ID is malformed"


def _date_fault(message: EmailMessage) -> str | None:
    try:
        stated: datetime | None = parsedate_to_datetime(str(message["Date"]))
    except ValueError:
        stated = None
    return None if stated is not None else "Date is malformed"


def _mailboxes_fault(message: EmailMessage) -> str | None:
    for name in ("From", "To", "Cc", "Reply-To"):
        values = [str(value) for value in message.get_all(name, [])]
        for _, address in getaddresses(values):
            if address_fault(address):
                return f"{name} holds no mailbox"
    return None
