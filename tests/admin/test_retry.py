"""Retrying failed executions through the API: which may be, from where, and only once."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from schemas.command import Command
from tests.admin.conftest import Api, User
from tests.admin.log import NOW, Log

ROOT = "/api/v1/executions"
ACTIONS = [{"type": "apply_tag", "order": order, "config": {"tag": f"t{order}"}} for order in range(3)]
_OUTBOX = "SELECT topic, key, value FROM outbox WHERE topic LIKE 't.actions.%%' AND convert_from(key, 'UTF8') = %s"
_KEY = "INSERT INTO execution_keys (execution_id, version, executed_at, attempt) VALUES (%s, 1, %s, %s)"


def results(*statuses: str) -> list[dict[str, Any]]:
    """A result a step."""
    return [
        {"step": n, "action_type": "apply_tag", "status": status, "executed_at": NOW.isoformat(), "output": {"n": n}}
        for n, status in enumerate(statuses)
    ]


async def failed(user: User, log: Log, *statuses: str, **changes: Any) -> dict[str, Any]:
    """An execution in the log, with its key as a claim has left it, of an active workflow of three tags."""
    workflow = await user.create(actions=ACTIONS, priority=changes.pop("priority", 5))
    if changes.pop("active", True):
        await user.call("POST", f"/api/v1/workflows/{workflow['id']}/activate")
    row = {"status": "partial", "results": results(*statuses), **changes}
    logged = await log.add(workflow, **{"entity": f"c-{user.id}", **row})
    await log.connection.execute(_KEY, (logged["id"], NOW, logged["attempt"]))
    return {**logged, "workflow": workflow["id"]}


async def commands(log: Log, user: User) -> list[tuple[str, Command]]:
    """What waits in the outbox for the user's entity, and where it will go."""
    rows = await (await log.connection.execute(_OUTBOX, (f"c-{user.id}",))).fetchall()
    return [(topic, Command.model_validate_json(value)) for topic, _, value in rows]


@pytest.mark.parametrize(
    ("statuses", "step", "kept"),
    [
        (("success", "failed", "success"), 1, [0, 2]),
        (("failed", "success", "skipped"), 0, [1]),
        (("success", "skipped", "failed"), 1, [0]),
        (("success", "failed", "skipped"), 1, [0]),
        ((), 0, []),
    ],
)
async def test_a_retry_begins_at_the_first_step_that_was_no_success(
    user: User, log: Log, statuses: tuple[str, ...], step: int, kept: list[int]
) -> None:
    """202; the command is attempt 2, on the old revision, event and verdicts, and keeps what had succeeded."""
    row = await failed(user, log, *statuses)
    answer = await user.call("POST", f"{ROOT}/{row['id']}/retry")
    assert (answer.status, answer.json) == (202, {"execution_id": str(row["id"]), "attempt": 2, "step": step})
    ((topic, command),) = await commands(log, user)
    assert (topic, command.attempt, command.step) == ("t.actions.apply_tag", 2, step)
    assert [result.step for result in command.kept] == kept
    assert [result.step for result in command.results] == list(range(step))
    assert (command.execution_id, command.event, command.matched_at) == (row["id"], row["event"], NOW)
    assert (command.workflow.version, len(command.workflow.actions)) == (1, 3)


async def test_a_retry_remembers_what_may_have_been_done(user: User, log: Log) -> None:
    """Of the steps that failed those of which nobody knows whether they had their effect."""
    known = results("failed", "failed", "success")
    row = await failed(user, log, results=[known[0], {**known[1], "uncertain": True}, {**known[2], "uncertain": True}])
    await user.call("POST", f"{ROOT}/{row['id']}/retry")
    ((_, command),) = await commands(log, user)
    assert command.doubtful == [1]


async def test_a_retry_takes_its_workflows_lane(user: User, log: Log) -> None:
    """Priority 1 to 3 is the high lane, as it was at first."""
    row = await failed(user, log, "failed", priority=2)
    await user.call("POST", f"{ROOT}/{row['id']}/retry")
    ((topic, command),) = await commands(log, user)
    assert (topic, command.lane) == ("t.actions.apply_tag.high", "high")


async def test_many_clicks_are_one_attempt(user: User, log: Log) -> None:
    """Of concurrent requests one is accepted; one attempt is allocated, one command sent."""
    row = await failed(user, log, "failed")
    answers = await asyncio.gather(*(user.call("POST", f"{ROOT}/{row['id']}/retry") for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [202] + [409] * 7
    assert [command.attempt for _, command in await commands(log, user)] == [2]
    assert "on its way" in next(answer.json["detail"] for answer in answers if answer.status == 409)


async def test_an_execution_whose_key_is_gone_is_retried_once(user: User, log: Log) -> None:
    """Keys are removed after weeks; the next attempt makes a new one, and a second click finds it."""
    row = await failed(user, log, "failed")
    await log.connection.execute("DELETE FROM execution_keys WHERE execution_id = %s", (row["id"],))
    statuses = [(await user.call("POST", f"{ROOT}/{row['id']}/retry")).status for _ in range(2)]
    assert statuses == [202, 409]


@pytest.mark.parametrize("status", ["success", "skipped", "stopped", "blocked"])
async def test_what_did_not_fail_is_not_retried(user: User, log: Log, status: str) -> None:
    """409 that names the status; nothing is sent."""
    row = await failed(user, log, "success", status=status)
    answer = await user.call("POST", f"{ROOT}/{row['id']}/retry")
    assert (answer.status, status in answer.json["detail"]) == (409, True)
    assert await commands(log, user) == []


@pytest.mark.parametrize("status", ["failed", "partial", "timed_out"])
async def test_what_failed_in_any_way_is_retried(user: User, log: Log, status: str) -> None:
    """Failed, partial and timed out."""
    row = await failed(user, log, "failed", status=status)
    assert (await user.call("POST", f"{ROOT}/{row['id']}/retry")).status == 202


async def test_an_inactive_workflow_is_not_retried(user: User, log: Log) -> None:
    """What is switched off runs nothing, nor does what was deleted."""
    off = await failed(user, log, "failed", active=False)
    gone = await failed(user, log, "failed")
    await user.call("DELETE", f"/api/v1/workflows/{gone['workflow']}")
    for row in (off, gone):
        assert (await user.call("POST", f"{ROOT}/{row['id']}/retry")).status == 409
    assert await commands(log, user) == []


async def test_nobody_retries_anothers_execution(api: Api, user: User, admin: User, log: Log) -> None:
    """A stranger's is not there; an admin may."""
    row = await failed(user, log, "failed")
    assert (await api.user().call("POST", f"{ROOT}/{row['id']}/retry")).status == 404
    assert (await user.call("POST", f"{ROOT}/{UUID(int=5)}/retry")).status == 404
    assert (await admin.call("POST", f"{ROOT}/{row['id']}/retry")).status == 202
