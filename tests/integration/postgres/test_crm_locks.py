"""Who works on the same customer at the same time waits in one order: nobody waits for each other in a circle."""

import asyncio
from functools import partial
from typing import Final

import psycopg
import pytest

from app.ports import TagRequest
from tests.support.crm import crm_over
from tests.support.waiting import eventually

pytestmark = pytest.mark.postgres

_BLOCKED: Final = "SELECT cardinality(pg_blocking_pids(%s)) > 0"


async def blocked(watching: psycopg.AsyncConnection, pid: int) -> bool:
    """Tell whether a connection waits for another one."""
    row = await (await watching.execute(_BLOCKED, (pid,))).fetchone()
    return row == (True,)


async def test_tags_wait_for_a_customer_who_is_being_entered(database: str) -> None:
    """Whoever enters a customer with a tag is not waited for by a tag of theirs that is already there: no deadlock."""
    connect = psycopg.AsyncConnection.connect
    async with (
        await connect(database) as entering,
        await connect(database) as tagging,
        await connect(database, autocommit=True) as watching,
    ):
        await entering.execute("INSERT INTO crm.customers (customer_id) VALUES ('c-1')")
        applying = asyncio.create_task(crm_over(tagging).apply_tags([TagRequest("c-1", "VIP")]))
        pid = tagging.info.backend_pid
        await eventually(partial(blocked, watching, pid), within=10.0, what="the tag waiting for the customer")
        await entering.execute("INSERT INTO crm.tags (customer_id, tag) VALUES ('c-1', 'VIP')")
        await entering.commit()
        assert await applying == [False]
