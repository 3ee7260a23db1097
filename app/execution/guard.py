"""The guard around what an agent does with its records: one that makes our own code fail never takes others along.

A batch that fails is tried again in halves, down to the record at fault, which becomes a dead letter. Kafka or Postgres
failing is no record's fault, and ends the process without an ack, as does a newer process of the same instance.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from typing import Final, TypeVar

import psycopg

from app.domain.errors import AT_FAULT, PoisonError, SupersededError, UnreachableError, our_mistake
from app.execution.parts import InParts, Part
from app.ports import Record
from app.services.delivery.dead_letters import DeadLetters
from app.services.operations.background import note_failure
from schemas.incoming import Incoming
from schemas.log_ids import of_record

Process = Callable[[Sequence[Incoming]], Awaitable[Sequence[Record]]]
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
    try:
        return list(await run(items))
    except Exception as error:
        if not items or not blames_input(error):
            raise
        if len(items) == 1:
            return list(give_up(items[0], error))
    middle = len(items) // 2
    return [*await in_halves(run, items[:middle], give_up), *await in_halves(run, items[middle:], give_up)]


def internal_error(record: Incoming, error: Exception) -> PoisonError:
    """Note that our own code failed on a record, and return why it goes to the dead letters."""
    note_failure(_TASK, error, **of_record(record))
    return our_mistake(error)


def lettered(letters: DeadLetters) -> GiveUp:
    """Return what gives a record up by a dead letter."""
    return lambda record, error: [letters.build(record, internal_error(record, error))]


def guarded(process: Process, give_up: GiveUp) -> InParts:
    """Return ``process`` with a guard around it; a batch is one part."""

    async def process_guarded(records: Iterable[Incoming]) -> AsyncGenerator[Part]:
        batch = list(records)
        if batch:
            yield Part(await in_halves(process, batch, give_up), batch)

    return process_guarded


def guarded_in_parts(process: InParts, give_up: GiveUp) -> InParts:
    """Return ``process`` with a guard around it: what has begun and is not done when it fails is tried in halves.

    Args:
        process: Safe to repeat, also where a part was sent that held some of what follows from a record.
        give_up: Returns what is to stand for a record.
    """

    async def process_guarded(records: Iterable[Incoming]) -> AsyncGenerator[Part]:
        coming = iter(records)
        begun: list[Incoming] = []
        while True:
            try:
                async with aclosing(process(_noted(coming, begun))) as parts:
                    async for part in parts:
                        del begun[: len(part.done)]
                        yield part
            except Exception as error:
                if not begun or not blames_input(error):
                    raise
                failed = error
            else:
                return
            left, begun = begun, []
            async with aclosing(_in_halves(process_guarded, left, failed, give_up)) as parts:
                async for part in parts:
                    yield part

    return process_guarded


def _noted(records: Iterator[Incoming], begun: list[Incoming]) -> Iterator[Incoming]:
    for record in records:
        begun.append(record)
        yield record


async def _in_halves(
    process: InParts, records: Sequence[Incoming], failed: Exception, give_up: GiveUp
) -> AsyncGenerator[Part]:
    """Try the halves of what failed, or give up what failed alone."""
    if len(records) == 1:
        yield Part(give_up(records[0], failed), records)
        return
    middle = len(records) // 2
    for half in (records[:middle], records[middle:]):
        async with aclosing(process(half)) as parts:
            async for part in parts:
                yield part
