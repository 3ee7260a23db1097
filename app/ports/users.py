"""Users: as administrators work on them, and as signing in does. Only ``Credentials`` holds a password's hash."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from app.domain.callers import Caller, Permission, Role
from app.domain.paging import Position


@dataclass(frozen=True, slots=True)
class User:
    """What may be seen of a user.

    Attributes:
        id: The ``sub`` of tokens of theirs, and ``created_by`` of what they own.
        permissions: What they may beside what every user may.
        disabled_at: Since when they may not sign in; None: they may.
        has_password: Whether they can sign in with one.
    """

    id: UUID
    email: str
    name: str
    role: Role
    permissions: frozenset[Permission]
    disabled_at: datetime | None
    has_password: bool
    signed_in_at: datetime | None
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What a user may now.

    Attributes:
        out: Why tokens of theirs do not hold; None: they do, for what the user may.
    """

    role: Role
    permissions: frozenset[Permission]
    out: Literal["disabled", "deleted"] | None = None


@dataclass(frozen=True, slots=True)
class UserFilter:
    """Which users to list; None: whichever.

    Attributes:
        search: What e-mail or name must hold.
    """

    search: str | None = None
    role: Role | None = None
    disabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What proves that somebody is a user."""

    user_id: UUID
    email: str
    name: str
    password_hash: str | None = field(repr=False)
    disabled: bool


class UserTransaction(Protocol):
    """What happens to one user at once."""

    async def get(self, user_id: UUID) -> User | None:
        """Return one that the caller may see, locked."""

    async def update(self, user: User, *, ends_sessions: bool) -> User:
        """Store what is changed of one, as a new version; their workflows may what they may from then on.

        Args:
            user: As they are to be.
            ends_sessions: Whether they have to sign in again.

        Raises:
            ConflictError: Another one has the e-mail, or there would be no administrator.
        """

    async def delete(self, user_id: UUID) -> None:
        """Remove one, and their sessions; their workflows may what every user may. Raises as ``update``."""


class UserStore(Protocol):
    """Users as administrators work on them."""

    def transaction(self, caller: Caller) -> AbstractAsyncContextManager[UserTransaction]:
        """Open a transaction as the caller."""

    async def insert(self, caller: Caller, user: User) -> User:
        """Store a new one.

        Raises:
            ConflictError: Another one has the e-mail or the id.
        """

    async def get(self, caller: Caller, user_id: UUID) -> User | None:
        """Return one that the caller may see."""

    async def find(self, caller: Caller, wanted: UserFilter, after: Position | None, limit: int) -> Sequence[User]:
        """Return a page, newest first."""

    async def names(self, caller: Caller, ids: Collection[UUID]) -> Mapping[UUID, str]:
        """Return what those are called that there are and the caller may see, by their ids."""


class CredentialStore(Protocol):
    """Users as signing in works on them; every one raises UnreachableError without Postgres."""

    async def by_email(self, email: str) -> Credentials | None:
        """Return a user's by their e-mail, in upper or lower case."""

    async def by_id(self, user_id: UUID) -> Credentials | None:
        """Return a user's."""

    async def set_password(self, caller: Caller, user_id: UUID, password_hash: str, keep: UUID | None) -> None:
        """Store a new password's hash, and end the user's links and sessions but for one."""

    async def rehash(self, user_id: UUID, before: str, after: str) -> None:
        """Store the same password's new hash, unless the password was changed meanwhile."""

    async def note_sign_in(self, user_id: UUID) -> None:
        """Note that a user has signed in just now."""

    async def add_link(self, caller: Caller, user_id: UUID, digest: bytes, expires_at: datetime) -> None:
        """Store a link that signs a user in once."""

    async def take_link(self, digest: bytes) -> UUID | None:
        """Return whom a link signs in, who is not disabled, and forget it; of many at once one gets it."""


class Standings(Protocol):
    """What bearer tokens are held to, however much they grant."""

    async def standings(self) -> Mapping[UUID, Standing]:
        """Return those of all users that there are or were.

        Raises:
            UnreachableError: Postgres does not answer.
        """


class Passwords(Protocol):
    """Hashes passwords, off the event loop."""

    async def hash(self, password: str) -> str:
        """Hash one."""

    async def verify(self, password_hash: str | None, password: str) -> tuple[bool, bool]:
        """Tell whether a password is the one, and whether its hash is to be made anew.

        Without a hash it takes as long, and is not.
        """
