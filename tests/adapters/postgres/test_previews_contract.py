"""The contract of ``PreviewStore``, on the fake and on Postgres."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from app.adapters.postgres.previews import PostgresPreviews
from app.domain.callers import Caller
from app.ports.preview import LoggedEvent, PreviewStore
from tests.support.logins import api_of
from tests.support.memory_previews import MemoryPreviews

ANA, BEA, ADMIN = (Caller(uuid4(), role) for role in ("user", "user", "admin"))
NOW = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
_LOG = """
INSERT INTO automation_logs
  (id, automation_id, trigger_event, conditions_met, status, executed_at, event_id, event_type)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_TIMER = """
INSERT INTO timers (command_id, execution_id, workflow_id, entity, step, kind, reason, due, topic, key, value)
VALUES (gen_random_uuid(), gen_random_uuid(), %s, 'c', 0, 'delay', '', now(), 't', '', '')
"""


@dataclass(frozen=True, slots=True)
class World:
    """Workflows of Ana and Bea, with what the log has of them."""

    previews: PreviewStore
    memory: MemoryPreviews = field(default_factory=MemoryPreviews)
    database: psycopg.AsyncConnection[Any] | None = None

    async def workflow(self, owner: Caller) -> UUID:
        """Make one."""
        made = uuid4()
        self.memory.owners[made] = owner.user_id
        if self.database is not None:
            await self.database.execute("INSERT INTO auth.users VALUES (%s) ON CONFLICT DO NOTHING", (owner.user_id,))
            await self.database.execute(
                "INSERT INTO automations (id, name, trigger_type, created_by) VALUES (%s, 'w', 'order.paid', %s)",
                (made, owner.user_id),
            )
        return made

    async def log(self, workflow: UUID, event_id: str, minutes: int, event_type: str = "order.paid") -> UUID:
        """Log an execution so many minutes before this day began; returns its id."""
        event = {"specversion": "1.0", "id": event_id, "source": "/shop", "type": event_type, "data": {"n": minutes}}
        row = LoggedEvent(
            uuid4(), workflow, NOW - timedelta(minutes=minutes), "success", conditions_met=True, event=event
        )
        self.memory.logged.append(row)
        if self.database is not None:
            values = (row.id, workflow, Jsonb(event), True, row.status, row.executed_at, event_id, event_type)
            await self.database.execute("SELECT headrace_make_log_partition(%s)", (row.executed_at.date(),))
            await self.database.execute(_LOG, values)
        return row.id

    async def wait(self, workflow: UUID, times: int) -> None:
        """Let executions wait."""
        self.memory.timers[workflow] += times
        if self.database is not None:
            for _ in range(times):
                await self.database.execute(_TIMER, (workflow,))


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """One after the other."""
    if request.param == "memory":
        memory = MemoryPreviews()
        yield World(memory, memory)
        return
    url = request.getfixturevalue("database")
    api = api_of(url)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        yield World(PostgresPreviews(api), database=connection)
    await api.close()


async def ids(world: World, caller: Caller, workflow: UUID, most: int = 10, kind: str = "order.paid") -> list[UUID]:
    """Which rows a preview looks at."""
    return [row.id for row in await world.previews.events(caller, workflow, kind, most)]


async def test_events_come_newest_first_and_no_more_than_asked_for(world: World) -> None:
    """Of the type that was asked for, as they were matched."""
    mine = await world.workflow(ANA)
    rows = [await world.log(mine, f"e-{n}", n) for n in (3, 1, 2)]
    await world.log(mine, "e-4", 0, "order.created")
    assert await ids(world, ANA, mine) == [rows[1], rows[2], rows[0]]
    assert await ids(world, ANA, mine, 2) == [rows[1], rows[2]]
    (first, *_) = await world.previews.events(ANA, mine, "order.paid", 1)
    assert (first.workflow_id, first.status, first.conditions_met, first.event["data"]) == (
        mine, "success", True, {"n": 1},
    )  # fmt: skip


async def test_an_event_is_there_once_by_the_workflows_own_row(world: World) -> None:
    """Though another workflow's row of it is newer."""
    mine, other = await world.workflow(ANA), await world.workflow(ANA)
    own = await world.log(mine, "e-1", 9)
    await world.log(other, "e-1", 1)
    theirs = await world.log(other, "e-2", 5)
    assert await ids(world, ANA, mine) == [theirs, own]


async def test_others_events_fill_up_what_the_workflow_has_not(world: World) -> None:
    """Of a week; where its own are enough, others' are not looked at."""
    mine, other = await world.workflow(ANA), await world.workflow(ANA)
    own = await world.log(mine, "e-1", 9)
    theirs = await world.log(other, "e-2", 1)
    await world.log(other, "e-3", 8 * 24 * 60)
    assert await ids(world, ANA, mine) == [theirs, own]
    assert await ids(world, ANA, mine, 1) == [own]


async def test_nobody_looks_at_anothers_events_or_at_what_waits_of_theirs(world: World) -> None:
    """Neither for their own workflow nor for another's; an administrator sees all."""
    mine, theirs = await world.workflow(ANA), await world.workflow(BEA)
    row = await world.log(theirs, "e-1", 1)
    await world.wait(theirs, 1)
    assert await ids(world, ANA, mine) == []
    assert await ids(world, ANA, theirs) == []
    assert await world.previews.waiting(ANA, theirs, 10) == 0
    assert await ids(world, ADMIN, mine) == [row]
    assert await world.previews.waiting(ADMIN, theirs, 10) == 1


async def test_what_waits_is_counted_up_to_a_bound(world: World) -> None:
    """Of that workflow alone."""
    mine, other = await world.workflow(ANA), await world.workflow(ANA)
    await world.wait(mine, 3)
    await world.wait(other, 1)
    assert [await world.previews.waiting(ANA, mine, most) for most in (2, 10)] == [2, 3]
