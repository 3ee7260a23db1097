"""Sealing with Fernet (AES-128-CBC with HMAC-SHA256, https://github.com/fernet/spec), several keys at once."""

from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.domain.errors import SecretsKeyError

_NO_KEY: Final = "HEADRACE_SECRETS_KEY is not set; make a key with `headrace secrets key`, and give every role the same"
_WRONG_KEY: Final = "HEADRACE_SECRETS_KEY has not the key that this was sealed with; add that one, after a comma"


class FernetCipher:
    """Implements ``app.ports.secrets.Cipher``.

    Args:
        keys: As in ``HEADRACE_SECRETS_KEY``, with commas between, the newest first; empty: every use fails.
    """

    def __init__(self, keys: str) -> None:
        ring = [Fernet(key) for key in split_keys(keys)]
        self._fernet = MultiFernet(ring) if ring else None

    def encrypt(self, text: str) -> bytes:
        """Seal a text with the newest key.

        Raises:
            SecretsKeyError: There is no key.
        """
        return self._ring().encrypt(text.encode())

    def decrypt(self, sealed: bytes) -> str:
        """Open what was sealed, with whichever key fits.

        Raises:
            SecretsKeyError: None fits, or there is no key.
        """
        try:
            return self._ring().decrypt(sealed).decode()
        except InvalidToken:
            raise SecretsKeyError(_WRONG_KEY) from None

    def renew(self, sealed: bytes) -> bytes:
        """Seal again, with the newest key.

        Raises:
            SecretsKeyError: None fits, or there is no key.
        """
        try:
            return self._ring().rotate(sealed)
        except InvalidToken:
            raise SecretsKeyError(_WRONG_KEY) from None

    def _ring(self) -> MultiFernet:
        if self._fernet is None:
            raise SecretsKeyError(_NO_KEY)
        return self._fernet


def new_key() -> str:
    """Make a key."""
    return Fernet.generate_key().decode()


def split_keys(keys: str) -> list[str]:
    """Return the keys of a setting, newest first."""
    return [key for part in keys.split(",") if (key := part.strip())]
