"""The outbox: records that transactions left in Postgres, held by one relay at a time."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from app.ports import Record, Refusal

BATCH_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A record that waits to be sent."""

    id: int
    record: Record
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is read at once: rows, and bytes of keys, values and headers; one row at least."""

    rows: int
    size: int = BATCH_BYTES


class OutboxSession(Protocol):
    """The outbox, held by one relay alone. Every method raises ``UnreachableError`` once the hold may be lost."""

    async def pending(self, bounds: Bounds) -> Sequence[OutboxRow]:
        """Oldest rows in id order, without those that are set aside."""

    async def delete(self, ids: Sequence[int]) -> None:
        """Delete rows that were sent."""

    async def set_aside(self, refusals: Mapping[int, Refusal]) -> None:
        """Set rows aside, by id, or say anew why they are."""

    async def topics_set_aside(self) -> Mapping[tuple[str, str], int]:
        """How many rows are set aside, by topic and reason."""

    async def waiting_for(self, topic: str, bounds: Bounds) -> Sequence[OutboxRow]:
        """Oldest rows that are set aside because their topic does not exist, in id order."""

    async def refused(self, bounds: Bounds) -> Sequence[OutboxRow]:
        """Rows that are set aside for any other reason; those first that have not been tried for longest."""

    async def wait(self, within: float) -> None:
        """Return when rows may have come, after ``within`` seconds at the latest."""


class Outbox(Protocol):
    """The outbox as every candidate sees it."""

    def lead(self) -> AbstractAsyncContextManager[OutboxSession]:
        """Wait until no other relay holds the outbox, then hold it.

        Raises:
            UnreachableError: Postgres does not answer.
        """


class Sending(Protocol):
    """Sends rows."""

    async def __call__(self, session: OutboxSession, rows: Sequence[OutboxRow]) -> Mapping[int, Refusal]:
        """Send rows and delete those that are durable; returns why the others are refused."""
