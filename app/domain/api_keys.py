"""API keys: what one looks like, and what is kept of it.

A key is 256 random bits. That cannot be guessed, so what is kept is its plain SHA-256: a slow hash with a salt protects
words that people choose, and would only cost each request its time here.
"""

import re
import secrets
from collections.abc import Collection
from hashlib import sha256
from typing import Final

from app.domain.callers import PERMISSIONS, Permission

PREFIX: Final = "hrk_"
# A key publishes no templates: each has a user as its owner, and a key owns nothing.
KEY_PERMISSIONS: Final[frozenset[Permission]] = PERMISSIONS - {"templates:publish"}
_BYTES: Final = 32
_KEY: Final = re.compile(r"hrk_[A-Za-z0-9_-]{43}")


def permission_problem(permission: str) -> str | None:
    """Say what is wrong with a key's permission; None: nothing is."""
    if permission in KEY_PERMISSIONS:
        return None
    return f"is none that a key can have; there are {', '.join(sorted(KEY_PERMISSIONS))}"


def permissions_problem(permissions: Collection[str]) -> str | None:
    """Say what is wrong with all that a key may; None: nothing is."""
    return None if permissions else "name at least one: a key may do nothing else"


def new_api_key() -> str:
    """Make a key."""
    return PREFIX + secrets.token_urlsafe(_BYTES)


def digest_of(text: str) -> bytes | None:
    """Return what is kept of a key; None for what can be none."""
    return sha256(text.encode()).digest() if _KEY.fullmatch(text) else None
