"""Sealing with Fernet (AES-128-CBC with HMAC-SHA256, https://github.com/fernet/spec), several keys at once."""

import base64
import secrets
from typing import TYPE_CHECKING, Final

from app.domain.errors import SecretsKeyError

if TYPE_CHECKING:
    from app.adapters.secrets.ring import Ring

_NO_KEY: Final = "HEADRACE_SECRETS_KEY is not set; make a key with `headrace secrets key`, and give every role the same"
_KEY_BYTES: Final = 32


class FernetCipher:
    """Implements ``app.ports.secrets.Cipher``. What seals is loaded at the first use: most workers have none.

    Args:
        keys: As in ``HEADRACE_SECRETS_KEY``, with commas between, the newest first; empty: every use fails.
    """

    def __init__(self, keys: str) -> None:
        self._keys = split_keys(keys)
        self._loaded: Ring | None = None

    def encrypt(self, text: str) -> bytes:
        """Seal a text with the newest key.

        Raises:
            SecretsKeyError: There is no key.
        """
        return self._ring().encrypt(text)

    def decrypt(self, sealed: bytes) -> str:
        """Open what was sealed, with whichever key fits.

        Raises:
            SecretsKeyError: None fits, or there is no key.
        """
        return self._ring().decrypt(sealed)

    def renew(self, sealed: bytes) -> bytes:
        """Seal again, with the newest key.

        Raises:
            SecretsKeyError: None fits, or there is no key.
        """
        return self._ring().renew(sealed)

    def _ring(self) -> "Ring":
        if not self._keys:
            raise SecretsKeyError(_NO_KEY)
        if self._loaded is None:
            from app.adapters.secrets.ring import Ring  # noqa: PLC0415 - see the class

            self._loaded = Ring(self._keys)
        return self._loaded


def new_key() -> str:
    """Make a key."""
    return base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def split_keys(keys: str) -> list[str]:
    """Return the keys of a setting, newest first."""
    return [key for part in keys.split(",") if (key := part.strip())]
