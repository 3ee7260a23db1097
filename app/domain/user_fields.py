"""What a user's e-mail, name and permissions may be, and the name of an API key: what is wrong with one, in words."""

from __future__ import annotations

from typing import Final

from app.domain.callers import PERMISSIONS
from app.domain.mailboxes import parse_mailbox
from app.domain.storable import is_storable
from app.domain.visible import is_visible

MAX_NAME: Final = 100
MAX_EMAIL: Final = 254


def email_problem(email: str) -> str | None:
    """Say what is wrong with an e-mail address; None: nothing is."""
    mailbox = parse_mailbox(email) if is_storable(email) and len(email) <= MAX_EMAIL else None
    return None if mailbox and mailbox[1] == email else "must be an e-mail address, such as ada@example.com"


def name_problem(name: str) -> str | None:
    """Say what is wrong with a name of a user or a key; None: nothing is."""
    if is_visible(name) and name == name.strip() and len(name) <= MAX_NAME and name.isprintable():
        return None
    return f"must be 1 to {MAX_NAME} characters in one line, no blanks around"


def permission_problem(permission: str) -> str | None:
    """Say what is wrong with a user's permission; None: nothing is."""
    return None if permission in PERMISSIONS else f"is none that there is; there are {', '.join(sorted(PERMISSIONS))}"
