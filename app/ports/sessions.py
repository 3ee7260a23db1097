"""Sessions: as the API looks them up and as people see theirs. None holds a token."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.domain.callers import Caller, Permission, Role
from app.domain.paging import Position
from app.domain.sessions import How


@dataclass(frozen=True, slots=True)
class Session:
    """What may be seen of a session.

    Attributes:
        how: How its user signed in.
        address: From where; of IPv6 the network.
        agent: The browser, as it names itself.
        seen_at: When it was last used, to the minute or so.
        expires_at: When it ends, however much it is used.
    """

    id: UUID
    user_id: UUID
    how: How
    address: str
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session, and its user as they are now."""

    session: Session
    email: str
    name: str
    role: Role
    permissions: frozenset[Permission]

    @property
    def caller(self) -> Caller:
        """Who calls with it: as with a token of the same user."""
        return Caller(self.session.user_id, self.role, self.permissions)


class SessionStore(Protocol):
    """Sessions as the API opens, looks up and ends them; every one raises UnreachableError without Postgres."""

    async def open(self, session: Session, digest: bytes, most: int) -> None:
        """Store a new one, and end the user's oldest above ``most``, and some that have expired."""

    async def find(self, digests: Sequence[bytes]) -> Mapping[bytes, SignedIn]:
        """Return those that there are, of users who are not disabled."""

    async def note_seen(self, session_id: UUID) -> None:
        """Note that one was used just now."""

    async def end(self, caller: Caller, session_id: UUID) -> None:
        """End one, if it is there, for who signs out."""


class SessionList(Protocol):
    """Sessions as people see them: their own, an administrator everybody's."""

    async def find(self, caller: Caller, user_id: UUID | None, after: Position | None, limit: int) -> Sequence[Session]:
        """Return a page of a user's, or of all that the caller may see, newest first."""

    async def end(self, caller: Caller, session_id: UUID) -> bool:
        """End one; False where the caller sees none of this id."""
