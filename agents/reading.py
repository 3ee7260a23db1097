"""How agents read: in batches, or into a pool (one agent per action type and lane, made from the registry)."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from agents.bulkhead import Bulkhead
from agents.outside import OutsideExecutor
from agents.overlap import Outlet, Overlap
from agents.pool import KeyedPool
from app.adapters.kafka import batches as ledger
from app.adapters.kafka.messages import TrackedMessage
from app.ports import Record

MAX_BATCH = 256

Process = Callable[[Sequence[TrackedMessage]], Awaitable[Sequence[Record]]]


async def run_batches(stream: Any, process: Process, outlet: Outlet) -> None:
    """Read in batches of what has arrived; a batch is acked when what ``process`` returns for it is durable."""
    overlap = Overlap(process, outlet=outlet, ack=ledger.ack_many, crash=stream.app.crash)
    try:
        async for batch in ledger.batches(stream, max_records=MAX_BATCH):
            begun = ledger.begin_many(batch)
            if begun:
                await overlap.run(begun)
    finally:
        await overlap.stop()


async def run_outside(stream: Any, executor: OutsideExecutor, *, slots: int) -> None:
    """Read a lane into its pool; entities run in parallel, one entity's commands in order."""
    lane = Bulkhead(slots, shared=executor.many_destinations)
    handle = partial(executor.handle, lane=lane)
    pool = KeyedPool(handle, ledger=ledger, slots=slots, crash=stream.app.crash, bulkhead=lane)
    try:
        async for batch in ledger.batches(stream, max_records=MAX_BATCH):
            for message in batch:
                await pool.put(message)
    finally:
        await pool.stop()
