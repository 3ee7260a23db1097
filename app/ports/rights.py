"""What the owners of workflows may do: a workflow runs when its owner is not there."""

from collections.abc import Collection, Mapping
from typing import Protocol
from uuid import UUID

from app.domain.callers import Caller


class NotedCallers(Protocol):
    """Callers as their tokens said who they are when they last called; what every user may is not in it."""

    async def note(self, caller: Caller) -> None:
        """Keep what a caller's token says, in place of what was kept.

        Raises:
            UnreachableError: The store does not answer.
        """

    async def read(self, users: Collection[UUID]) -> Mapping[UUID, Caller]:
        """Return those of the users that were noted.

        Raises:
            UnreachableError: The store stayed away for too long.
        """


class OwnerRights(Protocol):
    """What gives executors the role and the permissions that owners have today."""

    async def of(self, owners: Collection[UUID]) -> Mapping[UUID, Caller]:
        """Return each owner as a caller, at most a few seconds old; one who never called is a user like every other.

        Raises:
            UnreachableError: They cannot be looked up.
        """
