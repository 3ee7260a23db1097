"""Dead letters: where administrators find them."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol
from uuid import UUID

from pydantic import Field

from app.domain.callers import Caller
from app.ports.kafka import Record
from schemas.base import Contract

State = Literal["open", "replayed", "discarded"]


_BASE64: Final = Field(description="Base64")


class DeadLetterSummary(Contract):
    """One dead letter, without its bytes.

    Attributes:
        number: The dead letter's number, ascending in the order in which they were stored.
        topic: Where the record was read, with ``partition`` and ``offset``.
        size: Bytes of the original value; ``cut`` says whether only the first 64 KiB of it are kept.
        by: Who replayed or discarded it, and ``at`` when.
        reader: The consumer group that read it, and for which of its parts: a source, a handler.
        event_id: The id of the event that it is or carries, as far as it could be made out. So are ``source`` and
            ``entity``; each has at most 256 characters.
        barred: Why it must not be replayed, even where it is whole.
    """

    number: int
    topic: str
    partition: int
    offset: int
    record_timestamp: datetime | None
    reason: str
    detail: str
    role: str
    reader: str
    event_id: str | None
    source: str | None
    entity: str | None
    barred: str | None
    size: int
    cut: bool
    failed_at: datetime
    state: State
    at: datetime | None
    by: UUID | None


class Shown(Contract):
    """Bytes, as they can be shown: ``text`` where they are UTF-8."""

    base64: str = _BASE64
    text: str | None


@dataclass(frozen=True, slots=True)
class DeadLetterFilter:
    """Which to list; all that is given must hold. ``since`` is inclusive, ``until`` exclusive, both of failed_at."""

    state: State | None = None
    topic: str | None = None
    reason: str | None = None
    role: str | None = None
    event_id: str | None = None
    source: str | None = None
    entity: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A dead letter as it is stored; headers hold base64.

    Attributes:
        left_out: How many of the headers are none, and are not among them.
    """

    summary: DeadLetterSummary
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, str | None]]
    left_out: int = 0


class BoxTransaction(Protocol):
    """One transaction on the dead letters."""

    async def get(self, number: int) -> Stored | None:
        """Return one, locked until the transaction ends."""

    async def mark(self, number: int, state: State, at: datetime, by: UUID) -> None:
        """Note what became of it."""

    async def send(self, record: Record) -> None:
        """Put a record into the outbox."""


class BoxStore(Protocol):
    """Where dead letters are kept."""

    def transaction(self, caller: Caller) -> AbstractAsyncContextManager[BoxTransaction]:
        """Open a transaction on a caller's behalf: it commits at the block's end, and not at all where that raises."""

    async def find(self, wanted: DeadLetterFilter, before: int | None, limit: int) -> Sequence[DeadLetterSummary]:
        """Return at most ``limit`` with numbers under ``before``, newest first."""

    async def get(self, number: int) -> Stored | None:
        """Return one."""
