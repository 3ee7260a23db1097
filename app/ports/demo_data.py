"""Demo data: what was loaded as such, so that it can be removed again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.domain.callers import Caller


@dataclass(frozen=True, slots=True)
class LoadedDemo:
    """What was loaded.

    Attributes:
        workflows: The version that each workflow was loaded as, by id.
    """

    by: UUID
    at: datetime
    customers: Sequence[str]
    workflows: Mapping[UUID, int]


class DemoStore(Protocol):
    """Where it is noted, and what belongs to its customers is kept."""

    async def loaded(self) -> LoadedDemo | None:
        """Return what was loaded; None where nothing is."""

    async def begin(self, caller: Caller, customers: Sequence[str]) -> None:
        """Note that a load begins, and the customers that it is going to enter.

        Raises:
            ConflictError: Something is loaded already.
        """

    async def note(self, caller: Caller, workflow: UUID, version: int) -> None:
        """Note a workflow that was made."""

    async def forget(self, caller: Caller) -> None:
        """Delete the customers with all that belongs to them, and the notes."""
