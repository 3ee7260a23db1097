"""API keys as administrators make, list and revoke them: the key itself is answered once and kept nowhere."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from app.domain.api_keys import digest_of, new_api_key, permission_problem, permissions_problem
from app.domain.callers import Caller, known_permissions
from app.domain.errors import ConflictError, FieldError, InvalidError, NotFoundError
from app.domain.user_fields import name_problem
from app.ports import ApiKey, ApiKeyStore

# All of them are kept in the memory of each API process.
MAX_KEYS: Final = 1000


class ApiKeyService:
    """The use cases; the API checks who may call them.

    Args:
        store: Where keys are kept.
        now: The clock, in UTC.
        most: Keys that may be in use at once.
    """

    def __init__(
        self, store: ApiKeyStore, now: Callable[[], datetime] = lambda: datetime.now(UTC), *, most: int = MAX_KEYS
    ) -> None:
        self._store = store
        self._now = now
        self._most = most

    async def create(
        self, caller: Caller, name: str, permissions: Collection[str], expires_at: datetime | None = None
    ) -> tuple[ApiKey, str]:
        """Make a key, and return it beside what is kept of it.

        Raises:
            InvalidError: The name, a permission or the expiry is wrong.
            ConflictError: There are too many.
        """
        now = self._now()
        problems = [*_problems(name, permissions), *self.expired(expires_at)]
        if problems:
            raise InvalidError(problems)
        made = ApiKey(uuid4(), name, known_permissions(permissions), caller.user_id, now, expires_at)
        text = new_api_key()
        digest = digest_of(text)
        assert digest is not None
        if not await self._store.add(caller, made, digest, self._most):
            raise ConflictError(f"There are {self._most} API keys in use, and no more are allowed; revoke one first")
        return made, text

    def expired(self, expires_at: datetime | None) -> list[FieldError]:
        """Return what is wrong with when a key is to expire; empty: nothing is."""
        passed = expires_at is not None and expires_at <= self._now()
        return [FieldError("expires_at", "has passed")] if passed else []

    async def rotate(self, caller: Caller, key_id: UUID, overlap: timedelta) -> tuple[ApiKey, str]:
        """Make a key in place of one, which holds for a while yet; the new one may the same, and lives as long.

        Raises:
            NotFoundError: No key in use has this id.
            ConflictError: Another key is in its place already.
        """
        now = self._now()

        def new(old: ApiKey) -> ApiKey:
            expires = None if old.expires_at is None else now + (old.expires_at - old.created_at)
            return ApiKey(uuid4(), old.name, old.permissions, caller.user_id, now, expires)

        text = new_api_key()
        digest = digest_of(text)
        assert digest is not None
        made = await self._store.replace(caller, key_id, new, digest, now + overlap)
        if made is None:
            raise NotFoundError("There is no such API key in use")
        return made, text

    async def entries(self, caller: Caller) -> Sequence[ApiKey]:
        """List those that there are or were, newest first."""
        return await self._store.entries(caller)

    async def revoke(self, caller: Caller, key_id: UUID) -> None:
        """Revoke a key.

        Raises:
            NotFoundError: No key in use has this id.
        """
        if not await self._store.revoke(caller, key_id):
            raise NotFoundError("There is no such API key in use")


def _problems(name: str, permissions: Collection[str]) -> list[FieldError]:
    said = {"name": name_problem(name), "permissions": permissions_problem(permissions)}
    said |= {f"permissions[{at}]": permission_problem(one) for at, one in enumerate(permissions)}
    return [FieldError(path, problem) for path, problem in said.items() if problem]
