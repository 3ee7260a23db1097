"""API keys: where they are kept, as administrators work on them and as the API looks them up. None holds a key."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.domain.callers import Caller, Permission


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What may be seen of a key.

    Attributes:
        id: The id of the principal that its calls are made as.
        last_used: When it was last used, to the minute or so; None: never.
        expires_at: When it ceases to hold; None: it holds until it is revoked.
        replaced_by: The key that was made in its place.
    """

    id: UUID
    name: str
    permissions: frozenset[Permission]
    created_by: UUID
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used: datetime | None = None
    replaced_by: UUID | None = None


class ApiKeyStore(Protocol):
    """Keys as administrators work on them."""

    async def add(self, caller: Caller, key: ApiKey, digest: bytes, most: int) -> bool:
        """Store a new key; False where ``most`` are in use already."""

    async def entries(self, caller: Caller) -> Sequence[ApiKey]:
        """Return all that there are or were, newest first."""

    async def replace(
        self, caller: Caller, key_id: UUID, new: Callable[[ApiKey], ApiKey], digest: bytes, ends: datetime
    ) -> ApiKey | None:
        """Store a key in place of one in use, which ends at ``ends`` or before.

        Args:
            caller: On whose behalf.
            key_id: The old key's.
            new: Makes the new one of the old one.
            digest: The new one's.
            ends: When the old one ceases to hold.

        Returns:
            The new key; None where no key in use has this id.

        Raises:
            ConflictError: Another key is in its place already.
        """

    async def revoke(self, caller: Caller, key_id: UUID) -> bool:
        """Revoke a key; False where no key in use has this id."""


class KnownKeys(Protocol):
    """Keys as the API looks them up."""

    async def in_use(self) -> dict[bytes, ApiKey]:
        """Return those neither revoked nor expired, by digest.

        Raises:
            UnreachableError: Postgres does not answer.
        """

    async def note_use(self, key_id: UUID) -> None:
        """Note that one was used just now. Raises as ``in_use``."""
