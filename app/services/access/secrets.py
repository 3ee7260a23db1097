"""The secret store as administrators use it: values go in and are never answered."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.domain.callers import Caller
from app.domain.errors import FieldError, InvalidError, NotFoundError
from app.domain.grants import ALL, Grant, grant_errors
from app.domain.secret_names import is_secret_name, value_problem
from app.ports import Cipher, SecretEntry, SecretStore


def name_errors(name: str) -> list[FieldError]:
    """Return what is wrong with the name of a secret; empty: nothing is."""
    return (
        [] if is_secret_name(name) else [FieldError("name", "must be at most 64 of A-Z 0-9 _, beginning with a letter")]
    )


class SecretService:
    """The use cases; the API checks who may call them.

    Args:
        store: Where sealed values are kept.
        cipher: Seals values.
    """

    def __init__(self, store: SecretStore, cipher: Cipher) -> None:
        self._store = store
        self._cipher = cipher

    async def put(
        self, caller: Caller, name: str, value: str | None, wanted: Mapping[str, Sequence[str]]
    ) -> SecretEntry:
        """Store a secret, replace its value, or change who may use it.

        A new one is for the administrator's own workflows; one that is there keeps what ``wanted`` does not name. Who
        names other owners says where it may go, too.

        Raises:
            InvalidError: The name, the value or a list is wrong; the text never holds the value.
            SecretsKeyError: There is no key to seal it with.
        """
        problem = None if value is None else value_problem(value)
        given = {field: tuple(listed) for field, listed in wanted.items()}
        of_value = [FieldError("value", problem)] if problem else []
        errors = [*name_errors(name), *of_value, *grant_errors(Grant(**given))]
        if errors:
            raise InvalidError(errors)

        def granted(known: Grant | None) -> Grant:
            if known is None and "owners" in given and "hosts" not in given:
                raise InvalidError([FieldError("hosts", 'must be named where owners are; ["*"] stands for all')])
            return replace(known or Grant((str(caller.user_id),), (ALL,), (ALL,)), **given)

        sealed = None if value is None else self._cipher.encrypt(value)
        stored = await self._store.put(caller, name, sealed, granted)
        if stored is None:
            raise InvalidError([FieldError("value", "is needed, for there is no such secret yet")])
        return stored

    async def entries(self, caller: Caller) -> Sequence[SecretEntry]:
        """List the names, and who wrote each last."""
        return await self._store.entries(caller)

    async def delete(self, caller: Caller, name: str) -> None:
        """Remove a secret.

        Raises:
            NotFoundError: There is no secret of this name.
        """
        if not is_secret_name(name) or not await self._store.delete(caller, name):
            raise NotFoundError("There is no such secret")
