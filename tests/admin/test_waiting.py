"""Executions that wait, through the API."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.event_verdicts import PostgresTraces
from app.adapters.postgres.timers import PostgresTimers
from app.domain.breaker import circuit_of
from app.domain.callers import Caller
from app.ports import Record, Timer, TimerKind
from tests.admin.conftest import Api, User, draft
from tests.admin.log import Log

ROOT = "/api/v1/executions/waiting"
NOW = datetime.now(UTC).replace(microsecond=0)


async def workflow_of(user: User) -> UUID:
    """Make a workflow of a user."""
    return UUID((await user.call("POST", "/api/v1/workflows", draft())).json["id"])


async def wait(
    database: str,
    workflow_id: UUID,
    minutes: int,
    entity: str = "c-1",
    *,
    kind: TimerKind = "delay",
    circuit: str | None = None,
) -> Timer:
    """Let an execution wait for so many minutes."""
    timer = Timer(
        command_id=uuid4(),
        execution_id=uuid4(),
        workflow_id=workflow_id,
        entity=entity,
        step=1,
        kind=kind,
        reason="delay until then",
        due=NOW + timedelta(minutes=minutes),
        record=Record("t.actions.apply_tag", b"c-1", b'{"secret": "s3cr3t"}'),
        destination=circuit,
        deadline=NOW + timedelta(days=1) if circuit else None,
    )
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await PostgresTimers(connection).set([timer])
    return timer


async def listed(user: User, **query: Any) -> list[str]:
    """Ids of all pages."""
    ids: list[str] = []
    params = {name: str(value) for name, value in query.items()}
    while True:
        answer = await user.call("GET", ROOT, params=params)
        assert answer.status == 200, answer.json
        ids += [row["id"] for row in answer.json["items"]]
        if answer.json["next_cursor"] is None:
            return ids
        params["cursor"] = answer.json["next_cursor"]


async def test_a_waiting_execution_is_told_in_full(user: User, api_database: str) -> None:
    """Which step of what waits, why, and until when; not the record that it holds."""
    workflow_id = await workflow_of(user)
    timer = await wait(api_database, workflow_id, 5)
    answer = await user.call("GET", ROOT, params={"workflow_id": str(workflow_id)})
    (row,) = answer.json["items"]
    assert (row["id"], row["command_id"], row["workflow_id"]) == (
        str(timer.execution_id), str(timer.command_id), str(workflow_id),
    )  # fmt: skip
    assert (row["step"], row["kind"], row["reason"], row["entity"]) == (1, "delay", "delay until then", "c-1")
    assert row["next_action"] == "apply_tag"
    assert datetime.fromisoformat(row["due"]) == timer.due
    assert "s3cr3t" not in str(answer.json)


@pytest.mark.parametrize("limit", [1, 2, 50])
async def test_they_are_listed_by_due_time_page_by_page(user: User, api_database: str, limit: int) -> None:
    """Those due first first, whatever the size of a page."""
    workflow_id = await workflow_of(user)
    timers = [await wait(api_database, workflow_id, minutes) for minutes in (5, 1, 9)]
    in_order = [str(timer.execution_id) for timer in sorted(timers, key=lambda timer: timer.due)]
    assert await listed(user, workflow_id=workflow_id, limit=limit) == in_order


async def test_filters_and_owners(api: Api, api_database: str) -> None:
    """A workflow's, an entity's; nobody sees another user's but an admin."""
    one, two = api.user(), api.user()
    mine, other = await workflow_of(one), await workflow_of(two)
    first = await wait(api_database, mine, 1, entity="c-1")
    second = await wait(api_database, mine, 2, entity="c-2")
    third = await wait(api_database, other, 3)
    assert await listed(one) == [str(first.execution_id), str(second.execution_id)]
    assert await listed(one, entity="c-2") == [str(second.execution_id)]
    assert await listed(one, workflow_id=other) == []
    assert str(third.execution_id) in await listed(api.user("admin"))


async def test_when_it_goes_on_is_what_its_circuit_says(api: Api, user: User, api_database: str, log: Log) -> None:
    """The later of its own time and its circuit's; none that has passed, whatever it waits for, everywhere alike."""
    workflow_id = await workflow_of(user)
    pushed_on, over, closed = (circuit_of(f"http://{uuid4().hex}.example", user.id) for _ in range(3))
    until = NOW + timedelta(hours=10)
    for circuit, is_closed, ends in ((pushed_on, False, until), (over, False, NOW), (closed, True, until)):
        await log.connection.execute(
            "INSERT INTO breakers (destination, closed, until, reason) VALUES (%s, %s, %s, '')",
            (circuit, is_closed, ends),
        )
    soon, late = NOW + timedelta(hours=5), NOW - timedelta(minutes=3)
    try:
        cases: list[tuple[int, str | None, datetime | None]] = [
            (300, None, soon), (-3, None, None), (-3, pushed_on, until), (300, pushed_on, until), (300, over, soon),
            (-3, over, None), (-3, closed, None), (300, closed, soon),
        ]  # fmt: skip
        wanted = {}
        for minutes, of, at in cases:
            kind: TimerKind = "circuit" if of else "delay"
            timer = await wait(api_database, workflow_id, minutes, kind=kind, circuit=of)
            wanted[str(timer.execution_id)] = (at, soon if minutes > 0 else late)
        rows = (await user.call("GET", ROOT, params={"workflow_id": str(workflow_id)})).json["items"]
        told = {row["id"]: (row["goes_on"], row["due"]) for row in rows}
        assert {one: tuple(at and datetime.fromisoformat(at) for at in times) for one, times in told.items()} == wanted
        database = ApiDatabase(api.settings)
        of_events = await PostgresTraces(database).waiting(Caller(user.id, "user"), [UUID(one) for one in wanted])
        await database.close()
        assert {str(one): run.goes_on for one, run in of_events.items()} == {one: at for one, (at, _) in wanted.items()}
    finally:
        await log.connection.execute("DELETE FROM timers WHERE workflow_id = %s", (workflow_id,))
        await log.connection.execute("DELETE FROM breakers WHERE destination = ANY(%s)", ([pushed_on, over, closed],))
