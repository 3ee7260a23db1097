"""Lets executions wait that are over their owner's quota.

Input: the topic ``over-quota``, in batches of what has arrived. Output: nothing. Side effects: timers, which
:mod:`app.adapters.postgres.quota_releases` lets go in the owner's pace. Safe to repeat: a command has at most one.
"""

from collections.abc import Container, Iterator, Sequence
from typing import Final

from pydantic import ValidationError

from app.domain.errors import PoisonError
from app.domain.ids import command_id
from app.ports import Parking, Record, Timer, owner_header
from app.services.delivery.dead_letters import DeadLetters
from schemas.base import encode
from schemas.field_errors import field_errors, under
from schemas.held_runs import REASON, read_held_runs
from schemas.incoming import Incoming
from schemas.json_places import not_utf8

_MOST: Final = 500
_MOST_BYTES: Final = 4 * 1024 * 1024


class Parker:
    """Lets executions wait.

    Args:
        parking: Where executions wait.
        topics: Where a command may go.
        dead_letters: Takes what holds no executions.
    """

    def __init__(self, parking: Parking, topics: Container[str], dead_letters: DeadLetters) -> None:
        self._parking = parking
        self._topics = topics
        self._dead_letters = dead_letters

    async def process(self, records: Sequence[Incoming]) -> list[Record]:
        """Let the executions of a batch wait, in pieces that are bounded in bytes; returns the dead letters.

        Raises:
            UnreachableError: Postgres stayed away for too long; the batch must stay unacked.
        """
        letters: list[Record] = []
        batch: list[Timer] = []
        size = 0
        for record in records:
            try:
                timers = list(self._timers(record))
            except PoisonError as error:
                letters.append(self._dead_letters.build(record, error))
                continue
            for timer in timers:
                batch.append(timer)
                size += timer.record.size
                if len(batch) >= _MOST or size >= _MOST_BYTES:
                    await self._parking.park(batch)
                    batch, size = [], 0
        if batch:
            await self._parking.park(batch)
        return letters

    def _timers(self, record: Incoming) -> Iterator[Timer]:
        held = read_held_runs(record)
        entity = _text(record.key)
        for at, run in enumerate(held.runs):
            try:
                execution, workflow = run.ids
            except ValidationError as error:
                raise PoisonError.naming(REASON, under(f"runs[{at}].command", field_errors(error, None))) from None
            if run.topic not in self._topics:
                raise PoisonError(REASON, f"runs[{at}].topic: no command goes to {run.topic}")
            yield Timer(
                command_id=command_id(execution, 1, 0),
                execution_id=execution,
                workflow_id=workflow,
                entity=entity,
                step=0,
                kind="quota",
                reason=held.reason,
                due=run.due,
                record=Record(run.topic, record.key, encode({**held.common, **run.command}), owner_header(held.owner)),
                destination=str(held.owner),
            )


def _text(key: bytes | None) -> str:
    try:
        return (key or b"").decode()
    except UnicodeDecodeError:
        raise PoisonError(REASON, f"key: {not_utf8(key or b'')}") from None
