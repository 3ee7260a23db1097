"""The audit trail: who did what, as administrators read it. Changes of rows the database writes there by itself.

What changes no row of a table that is on the trail (a retry, a run by hand, an export, a sign-in that fails) is noted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from app.domain.callers import Caller
from app.domain.paging import Position
from schemas.base import Contract

ActorKind = Literal["user", "admin", "api_key", "database_role", "anonymous"]
Why = Literal["no_such_user", "wrong_password", "no_password", "disabled", "bad_link", "not_by_issuer", "too_many"]


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
        actor: The user or API key; null for a database role, which a person at the database may be, and for nobody:
            who fails to sign in is anonymous.
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


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that a caller has done; never what an event or a secret holds.

    Attributes:
        action: In the past, as the database names changes.
        version: The attempt, of a retry.
        said: More of it, by name.
    """

    action: str
    kind: str
    object_id: str
    name: str | None = None
    version: int | None = None
    said: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FailedSignIn:
    """Attempts to sign in that failed.

    Attributes:
        account: The e-mail that was tried; empty: none that can be told.
        address: Where they came from.
    """

    account: str
    address: str
    why: Why
    attempts: int = 1


class AuditNotes(Protocol):
    """Where what callers do is noted; every one raises UnreachableError without Postgres."""

    async def note(self, caller: Caller, noted: Noted) -> None:
        """Add a line."""

    async def note_failed(self, failed: FailedSignIn) -> None:
        """Count sign-ins that failed: a line by account, address, reason and hour, and a bound on those lines."""


class AuditTrail(Protocol):
    """Where the trail is kept."""

    async def find(
        self, caller: Caller, wanted: AuditFilter, after: Position | None, limit: int
    ) -> Sequence[AuditEntry]:
        """Return at most ``limit`` lines, newest first, from after a position on; none but to an administrator."""
