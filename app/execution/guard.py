"""The guard around what an agent does with its records: one that makes our own code fail never takes others along.

A batch that fails is tried again in halves, down to the record at fault, which becomes a dead letter. Kafka or Postgres
failing is no record's fault, and ends the process without an ack, as does a newer process of the same instance.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Final, TypeVar

import psycopg

from app.domain.errors import AT_FAULT, PoisonError, SupersededError, UnreachableError, our_mistake
from app.ports import Record
from app.services.delivery.dead_letters import DeadLetters
from app.services.operations.background import note_failure
from schemas.incoming import Incoming
from schemas.log_ids import of_record

Process = Callable[[Sequence[Incoming]], Awaitable[Sequence[Record]]]
# What follows from a batch, in parts that are sent one after the other: it may be far more than the batch.
InParts = Callable[[Sequence[Incoming]], AsyncGenerator[Sequence[Record]]]
GiveUp = Callable[[Incoming, Exception], Sequence[Record]]
T = TypeVar("T")
R = TypeVar("R")

_TASK: Final = "records"


def blames_input(error: Exception) -> bool:
    """Tell whether what was worked on may be at fault, rather than Kafka, Postgres or this process."""
    if isinstance(error, psycopg.Error):
        return (error.sqlstate or "").startswith(AT_FAULT) or isinstance(error, psycopg.DataError)
    return not isinstance(error, UnreachableError | SupersededError | OSError)


async def in_halves(
    run: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
    items: Sequence[T],
    give_up: Callable[[T, Exception], Sequence[R]],
) -> list[R]:
    """Run a batch; where it fails run its halves, and give up the items that fail alone.

    Args:
        run: Safe to repeat; what it has done of a batch that failed does no harm.
        items: The batch.
        give_up: Returns what is to stand for an item.

    Raises:
        Exception: The batch failed, and its items are not at fault.
    """

    async def whole(some: Sequence[T]) -> AsyncGenerator[Sequence[R]]:
        yield await run(some)

    return [one async for part in _parts_in_halves(whole, items, give_up) for one in part]


async def _parts_in_halves(
    run: Callable[[Sequence[T]], AsyncGenerator[Sequence[R]]],
    items: Sequence[T],
    give_up: Callable[[T, Exception], Sequence[R]],
) -> AsyncGenerator[Sequence[R]]:
    """Do the same with what yields its results in parts; those that a batch had before it failed come again."""
    try:
        async with aclosing(run(items)) as parts:
            async for part in parts:
                yield part
    except Exception as error:
        if not items or not blames_input(error):
            raise
        failed = error
    else:
        return
    if len(items) == 1:
        yield give_up(items[0], failed)
        return
    middle = len(items) // 2
    for half in (items[:middle], items[middle:]):
        async with aclosing(_parts_in_halves(run, half, give_up)) as parts:
            async for part in parts:
                yield part


def internal_error(record: Incoming, error: Exception) -> PoisonError:
    """Note that our own code failed on a record, and return why it goes to the dead letters."""
    note_failure(_TASK, error, **of_record(record))
    return our_mistake(error)


def lettered(letters: DeadLetters) -> GiveUp:
    """Return what gives a record up by a dead letter."""
    return lambda record, error: [letters.build(record, internal_error(record, error))]


def guarded(process: Process, give_up: GiveUp) -> InParts:
    """Return ``process`` with a guard around it; all that follows from a batch is one part."""

    async def process_guarded(records: Sequence[Incoming]) -> AsyncGenerator[Sequence[Record]]:
        yield await in_halves(process, records, give_up)

    return process_guarded


def guarded_in_parts(process: InParts, give_up: GiveUp) -> InParts:
    """Return ``process`` with a guard around it; safe to repeat, also where parts of a batch were sent."""
    return lambda records: _parts_in_halves(process, records, give_up)
