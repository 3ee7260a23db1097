"""Two processes in the middle of the same effect at the same moment, which only a real database can settle."""

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from app.adapters.postgres.pool import Pool
from app.adapters.postgres.receipts import PostgresReceipts
from app.ports import Done, EffectTransaction, NoteRequest
from tests.support.crm import crm_over
from tests.support.receipt_worlds import LEASE, MATCHED, a_claim

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("first", [False, True])
async def test_the_later_one_takes_the_earlier_ones_result(pool: Pool, database: str, *, first: bool) -> None:
    """Both saw that nothing was done and began: one commits, the other undoes its part and gives the same result."""
    processes = [PostgresReceipts(pool, f"executor/{number}", LEASE, crm_over) for number in range(2)]
    claims = [a_claim(first=first) for _ in range(3)]
    begun = [asyncio.Event() for _ in processes]

    async def apply(number: int) -> list[Any]:
        async def effect(own: EffectTransaction, indexes: Sequence[int]) -> dict[int, dict[str, Any]]:
            begun[number].set()
            if not first:  # else the other one waits for this transaction before it gets here
                await begun[1 - number].wait()
            requests = [NoteRequest(claims[index].command_id, "c", f"by {number}") for index in indexes]
            await own.crm.create_notes(requests)
            return {index: {"by": number} for index in indexes}

        await processes[number].start()
        return list(await processes[number].apply(claims, effect))

    here, there = await asyncio.gather(apply(0), apply(1))
    assert here == there
    winner = here[0].result["by"]
    assert here == [Done(MATCHED, {"by": winner})] * 3
    with psycopg.connect(database) as connection:
        notes = connection.execute("SELECT text, count(*) FROM crm.notes GROUP BY text").fetchall()
    assert notes == [(f"by {winner}", 3)]
