"""Sessions of people who signed in: what a token looks like, what is kept of it, and what guards it from forgery.

A token is 256 random bits, kept as its plain SHA-256 as an API key's is (``app.domain.api_keys``). The token against
forged requests is made of it, so that nothing more is kept: who knows one does not know the other.
"""

import re
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final, Literal

How = Literal["password", "link", "openid"]

MAX_ADDRESS: Final = 100
MAX_AGENT: Final = 300
_BYTES: Final = 32
_TOKEN: Final = re.compile(r"hr[sl]_[A-Za-z0-9_-]{43}")
_FORGERY: Final = b"headrace csrf\x00"


def new_session_token() -> str:
    """Make the token of a session."""
    return "hrs_" + secrets.token_urlsafe(_BYTES)


def new_link_token() -> str:
    """Make the token of a link that signs in once."""
    return "hrl_" + secrets.token_urlsafe(_BYTES)


def token_digest(text: str) -> bytes | None:
    """Return what is kept of a token; None for what can be none."""
    return sha256(text.encode()).digest() if _TOKEN.fullmatch(text) else None


def csrf_token(session_token: str) -> str:
    """Return what a session's requests must say in a header: no other site can read it, nor make a browser send it."""
    return urlsafe_b64encode(sha256(_FORGERY + session_token.encode()).digest()).decode().rstrip("=")
