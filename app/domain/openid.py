"""One attempt to sign in at an OpenID issuer: what goes there, and what must come back.

All of it is made of one random secret, which the browser keeps in a cookie until it is back: state (the answer is this
browser's), nonce (the ID token is of this attempt) and the verifier of PKCE (RFC 7636: the code is ours to redeem).
Nothing is stored here, and what the issuer sees of it does not lead to the rest.
"""

import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_PATH: Final = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
MAX_PATH: Final = 500
HOME: Final = "/api/v1/session"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt.

    Attributes:
        secret: What the others are made of.
        path: Where the browser goes afterwards: on this host.
    """

    secret: str
    path: str = HOME

    @classmethod
    def new(cls, path: str) -> Self:
        """Begin one; a path that leads elsewhere is none."""
        return cls(secrets.token_urlsafe(32), path if is_path_here(path) else HOME)

    @classmethod
    def read(cls, cookie: str) -> Self | None:
        """Read what ``cookie`` has made; None for anything else."""
        secret, _, packed = cookie.partition(".")
        try:
            path = urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode("ascii")
        except ValueError:
            return None
        return cls(secret, path) if _SECRET.fullmatch(secret) and is_path_here(path) else None

    @property
    def cookie(self) -> str:
        """What the browser keeps."""
        return f"{self.secret}.{urlsafe_b64encode(self.path.encode()).decode().rstrip('=')}"

    @property
    def state(self) -> str:
        """What the answer must repeat."""
        return self._made("state")

    @property
    def nonce(self) -> str:
        """What the ID token must say."""
        return self._made("nonce")

    @property
    def verifier(self) -> str:
        """What proves that the code is ours to redeem."""
        return self._made("verifier")

    @property
    def challenge(self) -> str:
        """What the issuer is told of the verifier, by S256."""
        return _text(sha256(self.verifier.encode()).digest())

    def _made(self, what: str) -> str:
        return _text(sha256(f"headrace {what}\x00{self.secret}".encode()).digest())


def is_path_here(path: str) -> bool:
    """Tell whether it is a path on the host itself, which no browser takes for another one."""
    return len(path) <= MAX_PATH and _PATH.fullmatch(path) is not None


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
