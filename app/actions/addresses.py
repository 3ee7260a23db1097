"""Recipients: one rendered text is one address, never more, with any value from an event in it.

A list may be written as one string with commas; it is taken apart as it was written, before anything is rendered, so
that data with a comma in it cannot add recipients.
"""

import re
from typing import Any, Final

from app.actions.values import line, quoted, refuse
from app.domain.mailboxes import parse_mailbox

MAX_MAILBOX_CHARS: Final = 400

# What is opened and not closed goes to the end: so each character is looked at once, however many are opened.
_PIECE: Final = re.compile(
    r"""(?:\{\{.*?(?:\}\}|\Z)|\{%.*?(?:%\}|\Z)|\{\#.*?(?:\#\}|\Z)|"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[^,])++""", re.DOTALL
)


def split_list(source: str) -> list[str]:
    """Split a list of addresses as a user wrote it at its commas, but not within templates or quotes."""
    return [piece.strip() for piece in _PIECE.findall(source) if piece.strip()]


def mailbox(field: str, value: Any, *, quote: bool) -> str:
    """Return one rendered address, checked; empty where the template rendered nothing.

    Args:
        field: The field's name, for errors.
        value: What the field rendered to.
        quote: Whether an error may quote it; not where a secret may be in it.

    Raises:
        ActionFailedError: More or less than one address, a line break, or characters no mail server takes.
    """
    checked = line(field, value, max_chars=MAX_MAILBOX_CHARS)
    if checked and parse_mailbox(checked) is None:
        refuse(field, f"{quoted(checked, quote=quote)} is not one e-mail address")
    return checked
