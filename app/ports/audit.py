"""The audit trail: who changed what, as administrators read it. The database writes it; nothing of ours changes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from app.domain.callers import Caller
from app.domain.paging import Position
from schemas.base import Contract

ActorKind = Literal["user", "admin", "api_key", "database_role"]


class AuditChange(Contract):
    """What became of one field.

    Attributes:
        withheld: Why neither value is here: it is secret, or too large.
    """

    old: Any = None
    new: Any = None
    withheld: Literal["secret", "large"] | None = None


class AuditEntry(Contract):
    """One line of the trail.

    Attributes:
        actor: The user or API key; null for a database role, which a person at the database may be.
        actor_name: The API key's name, or the database role's.
        name: What the thing was called then.
        version: Which version of it this made, where it has versions.
        changes: By field.
    """

    id: UUID
    at: datetime
    actor: UUID | None
    actor_kind: ActorKind
    actor_name: str | None
    action: str
    kind: str
    object_id: str
    name: str | None
    version: int | None
    changes: Mapping[str, AuditChange]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which lines to list; all that is given must hold. ``since`` is inclusive, ``until`` exclusive."""

    actor: UUID | None = None
    action: str | None = None
    kind: str | None = None
    object_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditTrail(Protocol):
    """Where the trail is kept."""

    async def find(
        self, caller: Caller, wanted: AuditFilter, after: Position | None, limit: int
    ) -> Sequence[AuditEntry]:
        """Return at most ``limit`` lines, newest first, from after a position on; none but to an administrator."""
