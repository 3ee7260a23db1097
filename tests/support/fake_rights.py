"""What owners may, in memory, held to the same contract tests as in Postgres."""

from collections.abc import Collection, Mapping
from uuid import UUID

from app.domain.callers import PERMISSIONS, Caller, Permission
from app.domain.errors import UnreachableError


class MemoryCallers:
    """Implements ``app.ports.NotedCallers``.

    Attributes:
        reads: The users of each read, in order.
        notes: Each caller that was noted, in order.
        reachable: Whether it answers.
    """

    def __init__(self) -> None:
        self._rows: dict[UUID, Caller] = {}
        self.reads: list[set[UUID]] = []
        self.notes: list[Caller] = []
        self.reachable = True

    async def note(self, caller: Caller) -> None:
        """Keep what a caller's token says."""
        self._answer()
        self.notes.append(caller)
        self._rows[caller.user_id] = caller

    async def read(self, users: Collection[UUID]) -> Mapping[UUID, Caller]:
        """Return those of the users that were noted."""
        self._answer()
        self.reads.append(set(users))
        return {user: self._rows[user] for user in users if user in self._rows}

    def _answer(self) -> None:
        if not self.reachable:
            raise UnreachableError("Postgres is away")


class FixedRights:
    """Implements ``app.ports.OwnerRights``: every owner may the same, everything unless told otherwise.

    Attributes:
        asked: The owners of each question, in order.
    """

    def __init__(self, permissions: Collection[Permission] = PERMISSIONS) -> None:
        self._permissions = frozenset(permissions)
        self.asked: list[set[UUID]] = []

    async def of(self, owners: Collection[UUID]) -> Mapping[UUID, Caller]:
        """Return each owner as a user with the permissions."""
        self.asked.append(set(owners))
        return {owner: Caller(owner, "user", self._permissions) for owner in owners}
