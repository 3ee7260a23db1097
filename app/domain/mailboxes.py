"""E-mail mailboxes: ``a@b`` or ``Name <a@b>``, as strict as mail servers are in practice.

Quoted local parts, comments and non-ASCII addresses, which RFC 5322 and 6531 know, are not taken: hardly a server
delivers to them, and every one of them has been a way to smuggle something in.
"""

import re
from typing import Final

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(rf"(?=.{{1,254}}\Z)(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_MAILBOX: Final = re.compile(r"(?P<name>\"(?:[^\"\\]|\\.)*\"\s*|[^<>\"@,;:\\]*)<(?P<address>[^<>]*)>")


def parse_mailbox(value: str) -> tuple[str, str] | None:
    """Split ``a@b`` or ``Name <a@b>`` into display name (may be empty) and address; None where it is neither."""
    match = _MAILBOX.fullmatch(value)
    name, address = (match["name"].strip(), match["address"]) if match else ("", value)
    if not _ADDRESS.fullmatch(address):
        return None
    if name.startswith('"'):
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return name, address


def domain_of(mailbox: str) -> str:
    """Return the domain of a mailbox's address, ``localhost`` where the text is no mailbox."""
    parsed = parse_mailbox(mailbox)
    return parsed[1].rpartition("@")[2] if parsed else "localhost"
