"""Cancelling executions that wait, through the API, on real Postgres."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.actions.registry import REGISTRY
from app.adapters.postgres.crm import PostgresCrm
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.pool import Pool
from app.adapters.postgres.receipts import PostgresReceipts
from app.adapters.postgres.timers import DUE, PostgresTimers
from app.execution.routing import Router, claim_of
from app.ports import Claimed, Dropped, EffectTransaction, Timer, TimerKind
from app.topics import Topics
from schemas.command import Command
from schemas.execution import Execution
from schemas.result import ActionResult
from tests.admin.conftest import Api, User, draft
from tests.support.logins import pool_of
from tests.support.slips import action, command
from tests.support.waiting import eventually

ROOT = "/api/v1/executions"
ROUTER = Router(Topics("t."), frozenset(REGISTRY.names()))
NOW = datetime.now(UTC)


async def workflow_of(user: User, *, active: bool = False) -> UUID:
    """Make a workflow of a user."""
    made = await user.call("POST", "/api/v1/workflows", draft())
    if active:
        await user.call("POST", f"/api/v1/workflows/{made.json['id']}/activate")
    return UUID(made.json["id"])


def a_command(workflow_id: UUID, **changes: Any) -> Command:
    """Return the first of two steps of an execution."""
    made = command(action("apply_tag", tag="a"), action("apply_tag", 2, tag="b"), execution_id=uuid4(), **changes)
    return made.model_copy(update={"workflow": made.workflow.model_copy(update={"id": workflow_id})})


async def wait(database: str, one: Command, kind: TimerKind, *, done: int = 0) -> Timer:
    """Let an execution wait before the step it is at; of a delay, ``done`` steps have been done by it."""
    copy = one.model_copy()
    record = ROUTER.again(copy)
    for step in range(done):
        result = ActionResult(step=step, action_type="delay", status="success", executed_at=NOW)
        record = ROUTER.after(copy, result)
    circuit = kind == "circuit"
    timer = Timer(
        command_id=one.id,
        execution_id=one.execution_id,
        workflow_id=one.workflow.id,
        entity=one.entity,
        step=one.step,
        kind=kind,
        reason="",
        due=NOW + timedelta(hours=1),
        record=record,
        destination="smtp" if circuit else None,
        deadline=NOW + timedelta(hours=2) if circuit else None,
    )
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await PostgresTimers(connection).set([timer])
    return timer


async def ended(database: str, execution_ids: Sequence[UUID]) -> list[Execution]:
    """Return the ends of executions in the outbox."""
    async with await psycopg.AsyncConnection.connect(database) as connection:
        rows = await (await connection.execute("SELECT value FROM outbox WHERE topic = 't.executions'")).fetchall()
    found = [Execution.model_validate_json(row[0]) for row in rows]
    return [one for one in found if one.execution_id in set(execution_ids)]


async def waiting(user: User, workflow_id: UUID) -> int:
    """Return how many executions of a workflow wait."""
    answer = await user.call("GET", f"{ROOT}/waiting", params={"workflow_id": str(workflow_id)})
    return len(answer.json["items"])


@pytest.fixture
async def pool(api_database: str) -> AsyncIterator[Pool]:
    """A worker's pool."""
    async with pool_of(api_database, DatabaseRole.EXECUTOR) as opened:
        yield opened


@pytest.mark.parametrize("kind", ["retry", "circuit", "delay"])
async def test_a_cancelled_execution_ends_as_stopped_and_says_by_whom(
    user: User, api_database: str, kind: TimerKind
) -> None:
    """One record for the log; what it had done stays in it, what remained is skipped; it waits no more."""
    workflow_id = await workflow_of(user)
    one = a_command(workflow_id, parked=0 if kind == "delay" else 2)
    await wait(api_database, one, kind, done=1 if kind == "delay" else 0)
    answer = await user.call("POST", f"{ROOT}/{one.execution_id}/cancel")
    assert (answer.status, answer.json) == (200, {"cancelled": 1})
    (end,) = await ended(api_database, [one.execution_id])
    assert (end.status, end.error, end.attempt) == ("stopped", f"cancelled by {user.id}", 1)
    statuses = [result.status for result in end.results]
    assert statuses == (["success", "skipped"] if kind == "delay" else ["skipped", "skipped"])
    assert await waiting(user, workflow_id) == 0
    assert (await user.call("POST", f"{ROOT}/{one.execution_id}/cancel")).status == 404


async def test_a_delay_at_the_end_is_cancelled_too(user: User, api_database: str) -> None:
    """Nothing was to come but the end: that is ``stopped`` now."""
    one = a_command(await workflow_of(user))
    await wait(api_database, one, "delay", done=2)
    assert (await user.call("POST", f"{ROOT}/{one.execution_id}/cancel")).status == 200
    (end,) = await ended(api_database, [one.execution_id])
    assert (end.status, [result.status for result in end.results]) == ("stopped", ["success", "success"])


@pytest.mark.parametrize("kind", ["retry", "delay"])
async def test_a_copy_that_was_sent_after_all_does_not_run(
    user: User, api_database: str, pool: Pool, kind: TimerKind
) -> None:
    """A scheduler died between sending it and forgetting its timer: outside effects and our own ones drop it."""
    one = a_command(await workflow_of(user), parked=0 if kind == "delay" else 1)
    timer = await wait(api_database, one, kind, done=1 if kind == "delay" else 0)
    assert (await user.call("POST", f"{ROOT}/{one.execution_id}/cancel")).status == 200
    copy = claim_of(Command.model_validate_json(timer.record.value or b""))
    receipts = PostgresReceipts(pool, "x/1", timedelta(seconds=37), lambda c: PostgresCrm(c, topics=Topics("t.")))
    await receipts.start()
    assert await receipts.claim([copy]) == [Dropped("parked")]

    async def effect(_: EffectTransaction, indexes: Sequence[int]) -> dict[int, dict[str, Any]]:
        raise AssertionError(f"carried out: {indexes}")

    assert await receipts.apply([copy], effect) == [Dropped("parked")]


async def test_a_copy_that_has_begun_is_not_cancelled(user: User, api_database: str, pool: Pool) -> None:
    """409: it goes on, and no end is made up for it."""
    one = a_command(await workflow_of(user), parked=1)
    timer = await wait(api_database, one, "retry")
    receipts = PostgresReceipts(pool, "x/2", timedelta(seconds=37), lambda c: PostgresCrm(c, topics=Topics("t.")))
    await receipts.start()
    copy = claim_of(Command.model_validate_json(timer.record.value or b""))
    assert isinstance((await receipts.claim([copy]))[0], Claimed)
    assert (await user.call("POST", f"{ROOT}/{one.execution_id}/cancel")).status == 409
    assert await ended(api_database, [one.execution_id]) == []


async def test_a_scheduler_that_is_sending_it_wins(user: User, api_database: str) -> None:
    """The cancellation waits for it and comes too late."""
    one = a_command(await workflow_of(user), parked=1)
    await wait(api_database, one, "retry")
    async with await psycopg.AsyncConnection.connect(api_database) as scheduler:
        await scheduler.execute("UPDATE timers SET due = now() WHERE command_id = %s", (one.id,))
        assert one.id in {row[0] for row in await (await scheduler.execute(DUE, (500, 4 << 20))).fetchall()}
        cancelling = asyncio.create_task(user.call("POST", f"{ROOT}/{one.execution_id}/cancel"))
        await eventually(lambda: _someone_waits(api_database), what="the cancellation to wait for the scheduler")
        await scheduler.execute("DELETE FROM timers WHERE command_id = %s", (one.id,))
        await scheduler.commit()
        assert (await cancelling).status == 409
    assert await ended(api_database, [one.execution_id]) == []


async def _someone_waits(database: str) -> bool:
    query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with await psycopg.AsyncConnection.connect(database) as connection:
        return await (await connection.execute(query)).fetchone() is not None


async def test_all_of_a_workflow_are_cancelled_and_no_others(user: User, api_database: str) -> None:
    """However many; another workflow's go on waiting."""
    workflow_id, other = await workflow_of(user), await workflow_of(user)
    many = [a_command(workflow_id, parked=1) for _ in range(230)]
    async with await psycopg.AsyncConnection.connect(api_database) as connection:
        await PostgresTimers(connection).set([_timer(one) for one in (*many, a_command(other, parked=1))])
    answer = await user.call("POST", f"/api/v1/workflows/{workflow_id}/cancel-waiting")
    assert (answer.status, answer.json) == (200, {"cancelled": 230})
    assert len(await ended(api_database, [one.execution_id for one in many])) == 230
    assert (await waiting(user, workflow_id), await waiting(user, other)) == (0, 1)


def _timer(one: Command) -> Timer:
    due = NOW + timedelta(hours=1)
    return Timer(one.id, one.execution_id, one.workflow.id, "c", 0, "retry", "", due, ROUTER.again(one.model_copy()))


async def test_deleting_a_workflow_cancels_what_waits(user: User, api_database: str) -> None:
    """With the deletion as the reason; a stale version deletes and cancels nothing."""
    workflow_id = await workflow_of(user)
    one = a_command(workflow_id)
    await wait(api_database, one, "delay", done=1)
    path = f"/api/v1/workflows/{workflow_id}"
    assert (await user.call("DELETE", path, headers={"If-Match": '"7"'})).status == 412
    assert await waiting(user, workflow_id) == 1
    assert (await user.call("DELETE", path)).status == 204
    (end,) = await ended(api_database, [one.execution_id])
    assert (end.status, end.error) == ("stopped", "cancelled: the workflow was deleted")


async def test_what_begins_to_wait_after_a_deletion_can_be_cancelled(api: Api, user: User, api_database: str) -> None:
    """It was queued when its workflow was deleted; a stranger finds neither, nor is there one that never was."""
    workflow_id = await workflow_of(user)
    path = f"/api/v1/workflows/{workflow_id}"
    assert (await user.call("DELETE", path)).status == 204
    one = a_command(workflow_id, parked=1)
    await wait(api_database, one, "circuit")
    assert (await api.user().call("POST", f"{path}/cancel-waiting")).status == 404
    assert (await user.call("POST", f"/api/v1/workflows/{uuid4()}/cancel-waiting")).status == 404
    assert (await user.call("POST", f"{path}/cancel-waiting")).json == {"cancelled": 1}
    (end,) = await ended(api_database, [one.execution_id])
    assert (end.status, await waiting(user, workflow_id)) == ("stopped", 0)


async def test_switching_one_off_asks_what_becomes_of_them(user: User, api_database: str) -> None:
    """409 that names the choices, and it stays on; finish leaves them waiting, cancel ends them."""
    workflow_id = await workflow_of(user, active=True)
    path = f"/api/v1/workflows/{workflow_id}"
    one = a_command(workflow_id)
    await wait(api_database, one, "delay", done=1)
    asked = await user.call("POST", f"{path}/deactivate")
    assert (asked.status, "waiting=finish" in asked.json["detail"]) == (409, True)
    assert (await user.call("GET", path)).json["active"] is True
    wrong = await user.call("POST", f"{path}/deactivate", params={"waiting": "no"})
    assert (wrong.status, wrong.json["errors"][0]["path"]) == (400, "waiting")
    finishing = await user.call("POST", f"{path}/deactivate", params={"waiting": "finish"})
    assert (finishing.status, finishing.json["active"], await waiting(user, workflow_id)) == (200, False, 1)
    await user.call("POST", f"{path}/activate")
    assert (await user.call("POST", f"{path}/deactivate", params={"waiting": "cancel"})).status == 200
    (end,) = await ended(api_database, [one.execution_id])
    assert end.error == "cancelled: the workflow was switched off"
    await user.call("POST", f"{path}/activate")
    assert (await user.call("POST", f"{path}/deactivate")).status == 200


async def test_nobody_cancels_anothers(api: Api, user: User, api_database: str) -> None:
    """A stranger's does not wait, as far as one can see; an admin may."""
    one = a_command(await workflow_of(user), parked=1)
    await wait(api_database, one, "retry")
    stranger = api.user()
    assert (await stranger.call("POST", f"{ROOT}/{one.execution_id}/cancel")).status == 404
    assert (await stranger.call("POST", f"/api/v1/workflows/{one.workflow.id}/cancel-waiting")).status == 404
    assert (await api.user("admin").call("POST", f"{ROOT}/{one.execution_id}/cancel")).status == 200
    assert await waiting(user, one.workflow.id) == 0
