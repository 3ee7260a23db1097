"""Temporal triggers on real Postgres: planned, fired once, made up for after downtime, released to an audience."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
import psycopg
import pytest
from prometheus_client import REGISTRY
from psycopg.types.json import Jsonb

from app.adapters.postgres.pool import Pool
from app.adapters.postgres.temporal import PostgresTemporal
from app.domain.callers import PERMISSIONS
from app.domain.errors import ActionFailedError, UnreachableError
from app.ports import Record, TagRequest
from app.ports.temporal import Planned, Release
from app.services.scheduling.temporal import TemporalLoop
from app.topics import Topics
from schemas.event import Event
from tests.support.crm import crm_over
from tests.support.executions import add_workflow
from tests.support.fake_crm import FakeCrm

pytestmark = pytest.mark.postgres

TOPICS: Final = Topics("t.")
DAILY: Final = {"at": "09:00", "timezone": "Europe/Berlin"}


class EarlyClock(PostgresTemporal):
    """A store whose clock was read some time before its transactions begin, as a busy scheduler's is."""

    behind = timedelta()

    async def now(self) -> datetime:
        """Return Postgres's time, as it was."""
        return await super().now() - self.behind


class _FaultyTransaction:
    """A transaction in which one workflow's due times and events fail; the rest goes to Postgres."""

    def __init__(self, real: Any, bad: set[UUID]) -> None:
        self._real = real
        self._bad = bad

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def plan(self, workflow: Planned, due: datetime) -> None:
        """Plan, or fail."""
        if workflow.workflow_id in self._bad:
            raise ZeroDivisionError
        await self._real.plan(workflow, due)

    async def emit(self, events: Sequence[Record]) -> None:
        """Emit, or fail after half of it was done."""
        await self._real.emit(events)
        if any(Event.model_validate(orjson.loads(event.value or b"")).workflowid in self._bad for event in events):
            raise ZeroDivisionError


class Faulty(PostgresTemporal):
    """A store in which ``bad`` workflows fail."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool, crm_over)
        self.bad: set[UUID] = set()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """Open a transaction."""
        async with super().transaction() as real:
            yield _FaultyTransaction(real, self.bad)


class Counted(PostgresTemporal):
    """A store that counts its transactions."""

    opened = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """Open a transaction."""
        self.opened += 1
        async with super().transaction() as real:
            yield real


class World:
    """A scheduler's temporal triggers and the database that they work on."""

    def __init__(self, pool: Pool, database: str) -> None:
        self.store = PostgresTemporal(pool, crm_over)
        self.loop = TemporalLoop(self.store, TOPICS, rate=2, everybodys=PERMISSIONS)
        self._database = database

    def execute(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        """Run a statement as the administrator."""
        with psycopg.connect(self._database) as connection:
            cursor = connection.execute(statement.encode(), params)
            return cursor.fetchall() if cursor.description else []

    def workflow(self, config: dict[str, Any], kind: str = "temporal.daily") -> UUID:
        """Make an active temporal workflow."""
        workflow_id = uuid4()
        add_workflow(self._database, workflow_id)
        self.execute(
            "UPDATE automations SET active = true, trigger_type = %s, trigger_config = %s WHERE id = %s",
            kind,
            Jsonb(config),
            workflow_id,
        )
        return workflow_id

    def due(self, workflow_id: UUID) -> datetime | None:
        """Return when it is due next."""
        rows = self.execute("SELECT due FROM temporal_schedules WHERE workflow_id = %s", workflow_id)
        return rows[0][0] if rows else None

    def set_due(self, workflow_id: UUID, due: datetime) -> None:
        """Have it due at another time."""
        self.execute("UPDATE temporal_schedules SET due = %s WHERE workflow_id = %s", due, workflow_id)

    def events(self) -> list[Event]:
        """Return the events in the outbox, in order."""
        rows = self.execute("SELECT topic, key, value FROM outbox ORDER BY id")
        events = [Event.model_validate(orjson.loads(value)) for _, _, value in rows]
        assert {topic for topic, _, _ in rows} <= {"t.internal-events"}
        assert [key.decode() for _, key, _ in rows] == [event.subject for event in events]
        return events


@pytest.fixture
def world(scheduler_pool: Pool, database: str) -> World:
    """A database without workflows."""
    return World(scheduler_pool, database)


def next_nine(config: dict[str, Any], after: datetime) -> datetime:
    """Return the next 09:00 by the wall clock, found by walking through the minutes."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only here

    moment = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while moment.astimezone(ZoneInfo(config["timezone"])).strftime("%H:%M") != config["at"]:
        moment += timedelta(minutes=1)
    return moment


async def test_an_active_workflow_is_planned(world: World) -> None:
    """At its next time, not before; nothing is emitted yet."""
    workflow_id = world.workflow(DAILY)
    before = datetime.now(UTC)
    await world.loop.round()
    assert world.due(workflow_id) == next_nine(DAILY, before)
    assert world.events() == []


async def test_a_round_with_nothing_to_do_opens_no_transaction(world: World, scheduler_pool: Pool) -> None:
    """With a workflow that is planned and not due; one that was ended is forgotten by the next round, all the same."""
    store = Counted(scheduler_pool, crm_over)
    loop = TemporalLoop(store, TOPICS, rate=2, everybodys=PERMISSIONS)
    workflow_id = world.workflow(DAILY)
    await loop.round()
    assert world.due(workflow_id) is not None
    opened = store.opened
    assert opened > 0
    await loop.round()
    assert store.opened == opened
    world.execute("UPDATE automations SET active = false WHERE id = %s", workflow_id)
    await loop.round()
    assert world.due(workflow_id) is None
    opened = store.opened
    await loop.round()
    assert store.opened == opened


async def test_what_is_due_is_emitted_once_for_its_workflow(world: World) -> None:
    """One event, with its due time, for that workflow only; the next one is planned; the next round emits nothing."""
    workflow_id, other = world.workflow(DAILY), world.workflow(DAILY)
    await world.loop.round()
    upcoming = world.due(other)
    assert upcoming is not None
    world.set_due(workflow_id, upcoming - timedelta(days=1))
    await world.loop.round()
    await world.loop.round()
    (event,) = world.events()
    assert (event.type, event.workflowid, event.time) == ("temporal.daily", workflow_id, upcoming - timedelta(days=1))
    assert world.due(workflow_id) == upcoming


@pytest.mark.parametrize("audience", [{}, {"audience": []}], ids=["a run", "an audience"])
async def test_a_run_has_one_id_that_nobody_can_compute(world: World, audience: dict[str, Any]) -> None:
    """Fired twice it is one event, and its id is made with what our database alone holds: another one made it another.

    An event that came first, under an id made of workflow and due time, would have had the real run taken for a
    repetition.
    """
    world.execute("INSERT INTO crm.customers VALUES ('c-1', '{}')")
    workflow_id = world.workflow({**DAILY, **audience})
    await world.loop.round()
    upcoming = world.due(workflow_id)
    assert upcoming is not None
    for _ in range(2):
        world.set_due(workflow_id, upcoming - timedelta(days=1))
        await world.loop.round()
    world.execute("UPDATE temporal_schedules SET nonce = %s WHERE workflow_id = %s", uuid4(), workflow_id)
    world.set_due(workflow_id, upcoming - timedelta(days=1))
    await world.loop.round()
    first, again, other = (event.id for event in world.events())
    assert first == again != other
    assert all(str(workflow_id) not in event.id for event in world.events())


def test_no_user_reads_what_ids_are_made_with(world: World) -> None:
    """The schedules and audiences are the workers' alone."""
    for read in ("SELECT nonce FROM temporal_schedules", "SELECT nonce FROM temporal_audiences"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            world.execute("SET LOCAL ROLE authenticated; " + read)


async def test_after_three_days_of_downtime_the_latest_run_fires_once(world: World) -> None:
    """By its own due time, not now; those before it are counted."""
    missed = skipped("missed")
    workflow_id = world.workflow(DAILY)
    await world.loop.round()
    upcoming = world.due(workflow_id)
    assert upcoming is not None
    world.set_due(workflow_id, upcoming - timedelta(days=4))
    await world.loop.round()
    await world.loop.round()
    (event,) = world.events()
    assert event.time == upcoming - timedelta(days=1)
    assert world.due(workflow_id) == upcoming
    assert skipped("missed") == missed + 3


def skipped(reason: str) -> float:
    """How many runs or audiences have been skipped for a reason."""
    return REGISTRY.get_sample_value("headrace_temporal_skipped_total", {"reason": reason}) or 0.0


async def test_an_audience_that_ends_with_its_workflow_is_counted(world: World) -> None:
    """Whoever has not had a run by then gets none."""
    workflow_id = world.workflow({**DAILY, "audience": []})
    await world.loop.round()
    await open_twice(world, workflow_id)
    world.execute("UPDATE automations SET active = false")
    before = skipped("audience_ended")
    await world.loop.round()
    assert skipped("audience_ended") == before + 1


async def open_twice(world: World, workflow_id: UUID) -> None:
    """Open an audience, and again: the second time changes nothing and says so."""
    release = Release(workflow_id, "temporal.daily", datetime.now(UTC), [], after="", nonce=uuid4())
    async with world.store.transaction() as transaction:
        assert await transaction.open_audience(release)
        assert not await transaction.open_audience(release)


async def test_schedulers_side_by_side_fire_once(world: World, scheduler_pool: Pool) -> None:
    """Four that look at the same moment emit one event for each workflow."""
    workflows = [world.workflow(DAILY) for _ in range(20)]
    await world.loop.round()
    for workflow_id in workflows:
        world.set_due(workflow_id, datetime.now(UTC) - timedelta(seconds=1))
    loops = [
        TemporalLoop(PostgresTemporal(scheduler_pool, crm_over), TOPICS, rate=2, everybodys=PERMISSIONS)
        for _ in range(4)
    ]
    await asyncio.gather(*(loop.round() for loop in loops))
    await world.loop.round()
    assert sorted(str(event.workflowid) for event in world.events()) == sorted(map(str, workflows))


async def test_changes_of_a_workflow_change_its_plan(world: World) -> None:
    """Another time gives another due time; deactivated or deleted, it is not due at all."""
    workflow_id = world.workflow(DAILY)
    await world.loop.round()
    later = {**DAILY, "at": "21:30"}
    world.execute("UPDATE automations SET trigger_config = %s WHERE id = %s", Jsonb(later), workflow_id)
    before = datetime.now(UTC)
    await world.loop.round()
    assert world.due(workflow_id) == next_nine(later, before)
    world.execute("UPDATE automations SET active = false WHERE id = %s", workflow_id)
    await world.loop.round()
    assert world.due(workflow_id) is None


async def test_an_audience_gets_a_run_for_each_customer_who_meets_it(world: World) -> None:
    """Two a second, in order, each with the customer's data and an id of its own; nobody twice, nobody left out."""
    for number in range(7):
        plan = "gold" if number % 2 == 0 else "free"
        world.execute("INSERT INTO crm.customers VALUES (%s, %s)", f"c-{number}", Jsonb({"plan": plan}))
    audience = [{"field": "customer.plan", "operator": "==", "value": "gold"}]
    workflow_id = world.workflow({**DAILY, "audience": audience})
    await world.loop.round()
    world.set_due(workflow_id, datetime.now(UTC) - timedelta(minutes=1))
    await world.loop.round()
    await world.loop.round()  # the next share is not due yet
    assert [event.subject for event in world.events()] == ["c-0", "c-2"]
    for _ in range(3):
        world.execute("UPDATE temporal_audiences SET not_before = now()")
        await world.loop.round()
    events = world.events()
    assert [event.subject for event in events] == ["c-0", "c-2", "c-4", "c-6"]
    assert events[1].data["customer"] == {"id": "c-2", "plan": "gold", "tags": []}
    assert len({event.id for event in events}) == 4
    assert world.execute("SELECT 1 FROM temporal_audiences") == []


async def test_an_audience_waits_for_a_crm_that_does_not_answer(world: World, scheduler_pool: Pool) -> None:
    """The user's own CRM may be away for a while: nothing is skipped, and the next round goes on from there."""
    workflow_id = world.workflow({**DAILY, "audience": []})
    await world.loop.round()
    world.set_due(workflow_id, datetime.now(UTC) - timedelta(minutes=1))
    crm = FakeCrm()
    await crm.apply_tags([TagRequest("c-1", "VIP")])
    crm.failures = [ActionFailedError("answered 503")]
    loop = TemporalLoop(PostgresTemporal(scheduler_pool, lambda _: crm), TOPICS, rate=2, everybodys=PERMISSIONS)
    with pytest.raises(UnreachableError, match="answered 503"):
        await loop.round()
    assert world.events() == []
    await loop.round()
    assert [event.data["customer"] for event in world.events()] == [{"id": "c-1", "tags": ["VIP"]}]


async def test_what_becomes_due_during_a_round_is_left_to_the_next(world: World, scheduler_pool: Pool) -> None:
    """By the round's own clock it is not due yet: firing it then would run the day before."""
    workflow_id = world.workflow(DAILY)
    await world.loop.round()
    upcoming = world.due(workflow_id)
    assert upcoming is not None
    due = upcoming - timedelta(days=1)
    world.set_due(workflow_id, due)
    store = EarlyClock(scheduler_pool, crm_over)
    store.behind = datetime.now(UTC) - due + timedelta(seconds=1)
    await TemporalLoop(store, TOPICS, rate=2, everybodys=PERMISSIONS).round()
    assert world.events() == []
    await world.loop.round()
    assert [event.time for event in world.events()] == [due]


async def test_a_trigger_that_cannot_be_read_stops_nobody_else(world: World) -> None:
    """Saved under older rules: it is set aside, and the other workflows run; so with an audience's conditions."""
    reasons = ("unreadable", "audience_unreadable")
    before = [skipped(reason) for reason in reasons]
    broken = world.workflow({})
    audience = world.workflow({**DAILY, "audience": [{"field": "a", "operator": "~", "value": 1}]})
    good = world.workflow(DAILY)
    await world.loop.round()
    for workflow_id in (broken, audience, good):
        world.set_due(workflow_id, datetime.now(UTC) - timedelta(seconds=1))
    await world.loop.round()
    await world.loop.round()
    assert [event.workflowid for event in world.events()] == [good]
    assert world.execute("SELECT 1 FROM temporal_audiences") == []
    due = world.due(broken)
    assert due is not None
    assert due > datetime.now(UTC)
    assert [skipped(reason) for reason in reasons] == [count + 1 for count in before]


async def test_one_workflow_that_fails_keeps_no_other_waiting(world: World, scheduler_pool: Pool) -> None:
    """They are planned and fired; what it had done is undone, and its run comes, by its due time, once it works."""
    store = Faulty(scheduler_pool)
    loop = TemporalLoop(store, TOPICS, rate=2, everybodys=PERMISSIONS)
    workflows = [world.workflow(DAILY) for _ in range(3)]
    store.bad = {workflows[1]}
    await loop.round()
    upcoming = world.due(workflows[0])
    assert upcoming is not None
    assert world.due(workflows[2]) == upcoming
    store.bad.clear()
    await loop.round()
    store.bad = {workflows[1]}
    due = upcoming - timedelta(days=1)
    for workflow_id in workflows:
        world.set_due(workflow_id, due)
    await loop.round()
    assert {event.workflowid for event in world.events()} == {workflows[0], workflows[2]}
    store.bad.clear()
    later = world.due(workflows[1])
    assert later is not None
    assert datetime.now(UTC) < later < datetime.now(UTC) + timedelta(minutes=2)
    world.set_due(workflows[1], datetime.now(UTC))
    await loop.round()
    assert [event.time for event in world.events() if event.workflowid == workflows[1]] == [due]


async def test_a_statement_that_postgres_refuses_fails_its_workflow_only(world: World, scheduler_pool: Pool) -> None:
    """The transaction goes on from before it: an audience's customer that is no text for Postgres, say."""

    class Refused(PostgresTemporal):
        """Refuses inside of a part."""

        @asynccontextmanager
        async def transaction(self) -> AsyncIterator[Any]:
            """Open one, and spoil a part of it."""
            async with super().transaction() as real:
                with pytest.raises(psycopg.errors.DivisionByZero):
                    async with real.apart():
                        await real._rows("SELECT 1 / 0")  # noqa: SLF001 - any statement will do
                yield real

    workflow_id = world.workflow(DAILY)
    await TemporalLoop(Refused(scheduler_pool, crm_over), TOPICS, rate=2, everybodys=PERMISSIONS).round()
    assert world.due(workflow_id) is not None


async def test_a_number_that_nothing_can_hold_stops_no_trigger(world: World) -> None:
    """A trigger of 5,000 digits is planned once and fires, and so do the others."""
    huge, good = world.workflow(DAILY), world.workflow(DAILY)
    stored = f'{{"at": "09:00", "timezone": "Europe/Berlin", "odd": {"9" * 5000}}}'
    world.execute("UPDATE automations SET trigger_config = %s::jsonb WHERE id = %s", stored, huge)
    await world.loop.round()
    async with world.store.transaction() as transaction:
        assert await transaction.changed(10) == []
    for workflow_id in (huge, good):
        world.set_due(workflow_id, datetime.now(UTC) - timedelta(seconds=1))
    await world.loop.round()
    assert {event.workflowid for event in world.events()} == {huge, good}


async def test_a_customer_who_cannot_be_evaluated_keeps_no_other_waiting(world: World) -> None:
    """One with a number of 400 digits is served; one that no event can hold is passed over and counted."""
    before = skipped("customer_unreadable")
    for name, profile in (("c-1", f'{{"a": {"9" * 400}}}'), ("c-2", f'{{"a": {"[" * 300}{"]" * 300}}}'), ("c-3", "{}")):
        world.execute("INSERT INTO crm.customers VALUES (%s, %s::jsonb)", name, profile)
    workflow_id = world.workflow({**DAILY, "audience": []})
    await world.loop.round()
    world.set_due(workflow_id, datetime.now(UTC) - timedelta(minutes=1))
    await world.loop.round()
    assert [event.subject for event in world.events()] == ["c-1", "c-3"]
    assert skipped("customer_unreadable") == before + 1
