"""A ring of Fernet keys, the newest first; apart, since loading what it needs takes seven megabytes."""

from collections.abc import Sequence
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.domain.errors import SecretsKeyError

_WRONG_KEY: Final = "HEADRACE_SECRETS_KEY has not the key that this was sealed with; add that one, after a comma"


class Ring:
    """Seals with its first key, and opens with whichever fits.

    Args:
        keys: At least one.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def encrypt(self, text: str) -> bytes:
        """Seal a text."""
        return self._fernet.encrypt(text.encode())

    def decrypt(self, sealed: bytes) -> str:
        """Open what was sealed.

        Raises:
            SecretsKeyError: No key fits.
        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise SecretsKeyError(_WRONG_KEY) from None

    def renew(self, sealed: bytes) -> bytes:
        """Seal again, with the first key.

        Raises:
            SecretsKeyError: No key fits.
        """
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken:
            raise SecretsKeyError(_WRONG_KEY) from None
