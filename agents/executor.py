"""The executor's agents: one per action type and lane, made from the registry (DESIGN 9)."""

from collections.abc import Awaitable, Callable
from typing import Any

from agents.outside import OutsideExecutor
from agents.own import OwnExecutor
from agents.pool import KeyedPool
from app.adapters.kafka import batches as ledger

MAX_BATCH = 256

Crash = Callable[[BaseException], Awaitable[None]]


async def run_own(stream: Any, executor: OwnExecutor) -> None:
    """Read a lane in batches of what has arrived; each is one transaction."""
    async for batch in ledger.batches(stream, max_records=MAX_BATCH):
        begun = ledger.begin_many(batch)
        if begun:
            await executor.process(begun)
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
