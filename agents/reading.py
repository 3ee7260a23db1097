"""How agents read: in batches, or into a pool (one agent per action type and lane, made from the registry)."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from app.adapters.kafka import batches as ledger
from app.adapters.kafka.messages import TrackedMessage
from app.execution.bulkhead import Bulkhead
from app.execution.keyed_pool import KeyedPool
from app.execution.leased import LeasedExecutor
from app.execution.pipelined_send import PipelinedSend
from app.ports import Record
from app.ports.outlet import Outlet
from schemas.incoming import Incoming

MAX_BATCH = 256

P = TypeVar("P")

Agent = Callable[[Any], Awaitable[None]]
# Gives an agent its parts, on its event loop.
Opened = Callable[[], Awaitable[P]]
Around = Callable[[Incoming], None]
Process = Callable[[Sequence[TrackedMessage]], Awaitable[Sequence[Record]]]


def announced(process: Process, around: Around | None) -> Process:
    """Return ``process`` with ``around`` told of each record before."""
    if around is None:
        return process

    async def told(records: Sequence[Any]) -> Sequence[Record]:
        for record in records:
            around(record)
        return await process(records)

    return told


async def run_batches(stream: Any, process: Process, outlet: Outlet) -> None:
    """Read in batches of what has arrived; a batch is acked when what ``process`` returns for it is durable."""
    pipelined = PipelinedSend(process, outlet=outlet, ack=ledger.ack_many, crash=stream.app.crash)
    try:
        async for batch in ledger.batches(stream, max_records=MAX_BATCH):
            begun = ledger.begin_many(batch)
            if begun:
                await pipelined.run(begun)
    finally:
        await pipelined.stop()


async def run_leased(stream: Any, executor: LeasedExecutor, *, slots: int, around: Around | None = None) -> None:
    """Read a lane into its pool; entities run in parallel, one entity's commands in order."""
    lane = Bulkhead(slots, shared=executor.many_destinations)

    async def told(record: TrackedMessage) -> bool:
        if around is not None:
            around(record)
        return await executor.handle(record, lane)

    handle = partial(executor.handle, lane=lane) if around is None else told
    pool = KeyedPool(handle, ledger=ledger, slots=slots, crash=stream.app.crash, bulkhead=lane)
    try:
        async for batch in ledger.batches(stream, max_records=MAX_BATCH):
            for message in batch:
                await pool.put(message)
    finally:
        await pool.stop()
