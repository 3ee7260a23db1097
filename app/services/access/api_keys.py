"""API keys as administrators make, list and revoke them: the key itself is answered once and kept nowhere."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from app.domain.api_keys import KEY_PERMISSIONS, MAX_NAME, digest_of, new_api_key
from app.domain.callers import Caller, known_permissions
from app.domain.errors import ConflictError, FieldError, InvalidError, NotFoundError
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
        problems = _problems(name, permissions, expires_at, now)
        if problems:
            raise InvalidError(problems)
        made = ApiKey(uuid4(), name, known_permissions(permissions), caller.user_id, now, expires_at)
        text = new_api_key()
        digest = digest_of(text)
        assert digest is not None
        if not await self._store.add(caller, made, digest, self._most):
            raise ConflictError(f"There are {self._most} API keys in use, and no more are allowed; revoke one first")
        return made, text

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


def _problems(name: str, permissions: Collection[str], expires_at: datetime | None, now: datetime) -> list[FieldError]:
    problems = []
    if not name.strip() or name != name.strip() or len(name) > MAX_NAME or not name.isprintable():
        problems.append(FieldError("name", f"must be 1 to {MAX_NAME} characters in one line, no blanks around them"))
    if not permissions:
        problems.append(FieldError("permissions", "name at least one: a key may do nothing else"))
    problems.extend(
        FieldError(f"permissions[{index}]", f"is none that a key can have; there are {_said()}")
        for index, permission in enumerate(permissions)
        if permission not in KEY_PERMISSIONS
    )
    if expires_at is not None and expires_at <= now:
        problems.append(FieldError("expires_at", "has passed"))
    return problems


def _said() -> str:
    return ", ".join(sorted(KEY_PERMISSIONS))
