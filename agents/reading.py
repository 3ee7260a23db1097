"""How agents read: in batches, or into a pool (one agent per action type and lane, made from the registry)."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

from app.execution.bulkhead import Bulkhead
from app.execution.keyed_pool import KeyedPool
from app.execution.lane import Lane
from app.execution.leased import LeasedExecutor
from app.execution.parts import InParts
from app.execution.pipelined_send import PipelinedSend
from app.ports.outlet import Outlet
from app.ports.record_source import RecordSource
from schemas.incoming import Incoming

MAX_BATCH = 256

P = TypeVar("P")
M = TypeVar("M", bound=Incoming)

Source = RecordSource[Any]
Agent = Callable[[Source], Awaitable[None]]
# Gives an agent its parts, on its event loop.
Opened = Callable[[], Awaitable[P]]
Around = Callable[[Incoming], None]


def announced(process: InParts, around: Around | None) -> InParts:
    """Return ``process`` with ``around`` told of each record before."""
    if around is None:
        return process

    def told(records: Iterable[Incoming]) -> Iterator[Incoming]:
        for record in records:
            around(record)
            yield record

    return lambda records: process(told(records))


async def run_batches(source: RecordSource[M], process: InParts, outlet: Outlet) -> None:
    """Read in batches of what has arrived; a record is acked when all that ``process`` yields for it is durable.

    A record begins when ``process`` asks for it: of a batch from which much follows, and that takes long, only what is
    in work keeps its partition from being given up.
    """
    pipelined = PipelinedSend[M](process, outlet=outlet, ack=source.ack_many, crash=source.crash)
    try:
        async for batch in source.batches(max_records=MAX_BATCH):
            await pipelined.run(message for message in batch if source.begin(message))
    finally:
        await pipelined.stop()


async def run_leased(
    source: RecordSource[M], executor: LeasedExecutor, *, slots: int, around: Around | None = None
) -> None:
    """Read a lane into its pool; entities run in parallel, one entity's commands in order."""
    places = Bulkhead(slots, shared=executor.many_destinations)
    lane = Lane(places, source.is_closing)

    async def told(record: M) -> bool:
        if around is not None:
            around(record)
        return await executor.handle(record, lane)

    handle = partial(executor.handle, lane=lane) if around is None else told
    pool = KeyedPool[M](handle, ledger=source, slots=slots, crash=source.crash, bulkhead=places)
    try:
        async for batch in source.batches(max_records=MAX_BATCH):
            for message in batch:
                await pool.put(message)
    finally:
        await pool.stop()
