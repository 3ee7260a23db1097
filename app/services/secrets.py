"""The secret store as administrators use it: values go in and are never answered."""

from collections.abc import Sequence

from app.domain.callers import Caller
from app.domain.errors import FieldError, InvalidError, NotFoundError
from app.domain.secret_names import is_secret_name, value_problem
from app.ports import Cipher, SecretEntry, SecretStore


class SecretService:
    """The use cases; who may call them is the API's to check.

    Args:
        store: Where sealed values are kept.
        cipher: Seals them.
    """

    def __init__(self, store: SecretStore, cipher: Cipher) -> None:
        self._store = store
        self._cipher = cipher

    async def put(self, caller: Caller, name: str, value: str) -> SecretEntry:
        """Store a secret, or replace its value.

        Raises:
            InvalidError: The name or the value is none; the text never holds the value.
            SecretsKeyError: There is no key to seal it with.
        """
        if not is_secret_name(name):
            raise InvalidError([FieldError("name", "must be at most 64 of A-Z 0-9 _, beginning with a letter")])
        problem = value_problem(value)
        if problem:
            raise InvalidError([FieldError("value", problem)])
        return await self._store.put(caller, name, self._cipher.encrypt(value))

    async def entries(self, caller: Caller) -> Sequence[SecretEntry]:
        """List the names, and who wrote each last."""
        return await self._store.entries(caller)

    async def delete(self, caller: Caller, name: str) -> None:
        """Remove a secret.

        Raises:
            NotFoundError: There is none of this name.
        """
        if not is_secret_name(name) or not await self._store.delete(caller, name):
            raise NotFoundError("There is no such secret")
