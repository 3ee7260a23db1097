"""Audiences go to the customers for owners who may read them; a refused one leaves a row that says why."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from app.adapters.postgres.pool import Pool
from app.domain.callers import Caller, Permission
from app.services.scheduling.temporal import TemporalLoop
from schemas.execution import Execution
from tests.integration.postgres.test_temporal import DAILY, TOPICS, World, skipped
from tests.support.executions import OWNER

EVERYBODY = {**DAILY, "audience": []}


class Strict(World):
    """A scheduler of an installation that grants some permissions to everybody."""

    def __init__(self, pool: Pool, database: str, everybodys: Collection[Permission] = ()) -> None:
        super().__init__(pool, database)
        self.loop = TemporalLoop(self.store, TOPICS, rate=2, everybodys=frozenset(everybodys))
        for customer in ("c-1", "c-2", "c-3"):
            self.execute("INSERT INTO crm.customers (customer_id) VALUES (%s)", customer)

    def note(self, caller: Caller) -> None:
        """Note what a caller may, as the API does."""
        self.execute(
            "INSERT INTO user_permissions (user_id, role, permissions) VALUES (%s, %s, %s)"
            " ON CONFLICT (user_id) DO UPDATE SET role = excluded.role, permissions = excluded.permissions",
            caller.user_id,
            caller.role,
            sorted(caller.permissions),
        )

    async def fire(self) -> UUID:
        """Have a workflow with an audience come due."""
        workflow_id = self.workflow(EVERYBODY)
        await self.loop.round()
        self.set_due(workflow_id, datetime.now(UTC) - timedelta(seconds=1))
        await self.loop.round()
        return workflow_id

    def sent(self, topic: str) -> list[dict[str, Any]]:
        """Return what is bound for a topic."""
        rows = self.execute("SELECT value FROM outbox WHERE topic = %s ORDER BY id", topic)
        return [orjson.loads(value) for (value,) in rows]


async def test_an_owner_who_may_not_read_customers_gets_no_audience(scheduler_pool: Pool, database: str) -> None:
    """No event goes out; the run is counted, and a row of the log says which permission its owner lacks."""
    world, before = Strict(scheduler_pool, database), skipped("audience_refused")
    world.note(Caller(OWNER, "user", frozenset({"crm:write", "operate"})))
    workflow_id = await world.fire()
    assert world.sent(TOPICS.internal_events) == []
    (row,) = [Execution.model_validate(value) for value in world.sent(TOPICS.executions)]
    assert (row.workflow_id, row.status, row.attempt) == (workflow_id, "blocked", 0)
    assert str(row.error).startswith("trigger.config.audience looks at all customers")
    assert str(row.error).endswith("lacks the permission crm:read")
    assert skipped("audience_refused") == before + 1
    await world.loop.round()
    assert len(world.sent(TOPICS.executions)) == 1


@pytest.mark.parametrize(
    ("everybodys", "caller"),
    [
        (["crm:read"], None),
        ([], Caller(OWNER, "admin")),
        ([], Caller(OWNER, "user", frozenset({"crm:read"}))),
    ],
)
async def test_with_crm_read_it_goes_out(
    scheduler_pool: Pool, database: str, everybodys: list[Permission], caller: Caller | None
) -> None:
    """Everybody's, an administrator's, or granted; an owner who never called has what everybody has."""
    world = Strict(scheduler_pool, database, everybodys)
    if caller is not None:
        world.note(caller)
    await world.fire()
    assert [event["subject"] for event in world.sent(TOPICS.internal_events)] == ["c-1", "c-2"]


async def test_what_is_taken_away_stops_an_audience_on_its_way(scheduler_pool: Pool, database: str) -> None:
    """The next share is not released."""
    world = Strict(scheduler_pool, database)
    world.note(Caller(OWNER, "user", frozenset({"crm:read"})))
    await world.fire()
    world.note(Caller(OWNER, "user"))
    world.execute("UPDATE temporal_audiences SET not_before = now()")
    await world.loop.round()
    assert len(world.sent(TOPICS.internal_events)) == 2
    assert [value["status"] for value in world.sent(TOPICS.executions)] == ["blocked"]
