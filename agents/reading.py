"""How agents read: in batches, or into a pool (one agent per action type and lane, made from the registry)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from agents.outside import OutsideExecutor
from agents.pool import KeyedPool
from app.adapters.kafka import batches as ledger
from app.adapters.kafka.messages import TrackedMessage

MAX_BATCH = 256

Crash = Callable[[BaseException], Awaitable[None]]


async def run_batches(stream: Any, process: Callable[[Sequence[TrackedMessage]], Awaitable[None]]) -> None:
    """Read in batches of what has arrived; a batch is acked when ``process`` has made its outcome durable."""
    async for batch in ledger.batches(stream, max_records=MAX_BATCH):
        begun = ledger.begin_many(batch)
        if begun:
            await process(begun)
            ledger.ack_many(begun)


async def run_outside(stream: Any, executor: OutsideExecutor, *, slots: int, crash: Crash) -> None:
    """Read a lane into its pool; entities run in parallel, one entity's commands in order."""
    pool = KeyedPool(executor.handle, ledger=ledger, slots=slots, crash=crash)
    try:
        async for batch in ledger.batches(stream, max_records=MAX_BATCH):
            for message in batch:
                await pool.put(message)
    finally:
        await pool.stop()
