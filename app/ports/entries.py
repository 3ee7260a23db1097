"""Entries: who has entered which workflow, for those that bound it (``app.domain.reentry``)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Entry:
    """An execution that asks to enter.

    Attributes:
        entity: Who asks: the event's entity, or the value of its key.
        at: When its event came into Kafka; aware.
        window: The least time from one entry to the next; None: there is no next.
        key: The path of which ``entity`` is the value; empty where it is the event's entity. Equal values of different
            keys have nothing to do with each other.
    """

    workflow_id: UUID
    entity: str
    execution_id: UUID
    at: datetime
    window: timedelta | None
    key: str = ""


class Entries(Protocol):
    """Decides who enters; several processes may ask at once, and of two that may not both enter one does."""

    async def enter(self, asking: Sequence[Entry]) -> Sequence[datetime | None]:
        """Let executions in, in the given order, for good.

        Returns for each None where it may run, else when its entity had entered. An execution that was let in before
        may run again: its event was delivered again.

        Raises:
            UnreachableError: Postgres did not serve for long.
        """
