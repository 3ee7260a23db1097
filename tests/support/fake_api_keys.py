"""API keys in memory, held to the same contract tests as those in Postgres."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from app.domain.callers import Caller
from app.domain.errors import ConflictError, UnreachableError
from app.ports import ApiKey


class MemoryApiKeys:
    """Implements ``app.ports.ApiKeyStore`` and ``app.ports.KnownKeys``.

    Attributes:
        reads: How often the keys in use were read.
        noted: Ids whose use was noted, in order.
        reachable: Whether it answers.
    """

    def __init__(self) -> None:
        self._rows: dict[bytes, ApiKey] = {}
        self.reads = 0
        self.noted: list[UUID] = []
        self.reachable = True

    async def add(self, caller: Caller, key: ApiKey, digest: bytes, most: int) -> bool:
        """Store a new key."""
        del caller
        if len(self._in_use()) >= most:
            return False
        self._rows[digest] = key
        return True

    async def entries(self, caller: Caller) -> Sequence[ApiKey]:
        """Return all, newest first."""
        del caller
        return sorted(self._rows.values(), key=lambda key: key.created_at, reverse=True)

    async def replace(
        self, caller: Caller, key_id: UUID, new: Callable[[ApiKey], ApiKey], digest: bytes, ends: datetime
    ) -> ApiKey | None:
        """Store a key in place of one in use."""
        del caller
        for held, old in self._in_use().items():
            if old.id == key_id:
                if old.replaced_by is not None:
                    raise ConflictError("exchanged already")
                made = new(old)
                ends = ends if old.expires_at is None else min(ends, old.expires_at)
                self._rows[held] = replace(old, replaced_by=made.id, expires_at=ends)
                self._rows[digest] = made
                return made
        return None

    async def revoke(self, caller: Caller, key_id: UUID) -> bool:
        """Revoke one."""
        del caller
        for digest, key in self._rows.items():
            if key.id == key_id and key.revoked_at is None:
                self._rows[digest] = replace(key, revoked_at=datetime.now(UTC))
                return True
        return False

    async def in_use(self) -> dict[bytes, ApiKey]:
        """Return those in use, by digest."""
        self.reads += 1
        if not self.reachable:
            raise UnreachableError("Postgres does not serve the API")
        return self._in_use()

    async def note_use(self, key_id: UUID) -> None:
        """Note that one was used just now."""
        if not self.reachable:
            raise UnreachableError("Postgres does not serve the API")
        self.noted.append(key_id)
        for digest, key in self._rows.items():
            if key.id == key_id:
                self._rows[digest] = replace(key, last_used=datetime.now(UTC))

    def _in_use(self) -> dict[bytes, ApiKey]:
        now = datetime.now(UTC)
        return {
            digest: key
            for digest, key in self._rows.items()
            if key.revoked_at is None and (key.expires_at is None or key.expires_at > now)
        }
