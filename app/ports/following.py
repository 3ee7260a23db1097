"""The end of the execution log, for those who follow it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.domain.callers import Caller
from app.domain.snapshots import Mark, Snapshot
from app.ports.executions import ExecutionSummary


@dataclass(frozen=True, slots=True)
class News:
    """That an execution was written: which, where it stands, and whose workflow ran; its row is read apart."""

    mark: Mark
    execution_id: UUID
    executed_at: datetime
    owner: UUID


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found.

    Attributes:
        upto: What it saw.
        news: What is new since the snapshot it was asked for, in the order of their marks.
        whole: That is all of it; else there is more than a look gives, or the snapshot is of another database.
    """

    upto: Snapshot
    news: Sequence[News]
    whole: bool = True


class Feed(Protocol):
    """Knows what was written."""

    async def look(self, since: Snapshot | None) -> Look:
        """Return what is new since a snapshot; nothing, and the present one, where there is none.

        Raises:
            UnreachableError: Postgres does not answer.
        """

    async def read(self, caller: Caller, news: Sequence[News]) -> Mapping[UUID, ExecutionSummary]:
        """Return the executions as their rows are now, by id: those that the caller may see.

        Raises:
            UnreachableError: Postgres does not answer.
        """
