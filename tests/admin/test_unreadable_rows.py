"""Rows of the log that no contract takes, put there by SQL: each reader shows the rest, and none answers 500."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from app.admin.state import STATE
from app.domain.callers import Caller
from app.domain.ids import execution_id
from app.settings import Settings
from tests.admin.conftest import Api, User, draft
from tests.admin.log import Log
from tests.admin.test_drafts import save
from tests.admin.test_event_verdicts import fresh, lookup, put, workflow
from tests.admin.test_retry import commands, failed, results
from tests.admin.test_streams import FEED, begun, missed
from tests.support.sessions import SignedIn, signed_in

ROOT = "/api/v1/executions"
(GOOD,) = results("failed")
BROKEN: list[tuple[dict[str, Any], list[str]]] = [
    ({"status": "cancelled"}, ["status"]),
    ({"event": "a text"}, ["event"]),
    ({"event": None}, ["event"]),
    ({"event": []}, ["event"]),
    ({"verdicts": {"met": True}}, ["verdicts"]),
    ({"verdicts": [{"operator": "==", "met": True}, 5]}, ["verdicts[1]"]),
    ({"results": "none"}, ["results"]),
    ({"results": {}}, ["results"]),
    ({"results": [GOOD, {**GOOD, "status": "done"}, None]}, ["results[1].status", "results[2]"]),
    ({"results": [{**GOOD, "executed_at": "yesterday"}]}, ["results[0].executed_at"]),
    ({"results": [{**GOOD, "executed_at": "2026-03-01T12:00:00"}]}, ["results[0]"]),
    ({"results": [{**GOOD, "resume_at": "0001-01-01T00:00:00Z"}]}, ["results[0]"]),
    ({"results": [{**GOOD, "duration_ms": 10**18}]}, ["results[0]"]),
]
ODD: list[dict[str, Any]] = [
    {"verdicts": [{"operator": "all", "met": True}, {"operator": "not", "met": False, "at": 5}, {"path": 5}]},
    {"verdicts": [{"operator": 7, "met": "no", "expected": {"now": 1}, "actual": {"cut": True, "type": []}}]},
    {"event": {"causation": 5, "source": [], "data": 1}, "event_id": "", "event_type": "\u202e", "entity": "/"},
    {"duration": -5, "attempt": -1, "version": 0, "error": ""},
]


def cases() -> list[Any]:
    """Each broken row with what is wrong with it, and rows that are only odd."""
    return [*BROKEN, *((row, []) for row in ODD)]


async def written(user: User, log: Log, **changes: Any) -> dict[str, Any]:
    """A failed execution of some minutes ago."""
    at = datetime.now(UTC) - timedelta(minutes=5)
    return await failed(user, log, **{"results": [GOOD], "status": "failed", "at": at, **changes})


def counted() -> float:
    """How many such rows the API has come upon."""
    return REGISTRY.get_sample_value("headrace_unreadable_rows_total") or 0.0


@pytest.fixture
async def who(api_database: str, settings: Settings, log: Log) -> SignedIn:
    """Somebody with a session, who may have workflows."""
    who = await signed_in(api_database, settings, "user", "crm:read", "events:write")
    await log.connection.execute("INSERT INTO auth.users (id) VALUES (%s) ON CONFLICT DO NOTHING", (who.id,))
    return who


async def seen(api: Api, who: SignedIn, path: str) -> tuple[int, str]:
    """A page's status, and its text."""
    async with api.client.get(path, headers=who.cookie, allow_redirects=False) as page:
        return page.status, await page.text()


@pytest.mark.parametrize(("changes", "paths"), cases())
async def test_a_row_that_cannot_be_read_is_shown_without_what_is_wrong(
    user: User, log: Log, changes: dict[str, Any], paths: list[str]
) -> None:
    """What is wrong is named by its path, and the explanation says so instead of what would be guessed."""
    row = await written(user, log, **changes)
    answer = await user.call("GET", f"{ROOT}/{row['id']}")
    assert answer.status == 200, answer
    shown = answer.json
    assert [one["path"] for one in shown.get("unreadable", [])] == paths
    assert ("cannot be read" in shown["explanation"]) is bool(paths)
    assert all(path in shown["explanation"] for path in paths)
    assert (shown["id"], shown["workflow_id"]) == (str(row["id"]), row["workflow"])
    assert shown["status"] == ("unknown" if "status" in paths else "failed")


async def test_what_can_be_read_of_it_is_shown(user: User, log: Log) -> None:
    """Of the results and verdicts those that are right."""
    right = {"operator": "==", "met": True}
    row = await written(user, log, results=[{"step": 0}, {**GOOD, "step": 1}], verdicts=[right, "wrong"])
    shown = (await user.call("GET", f"{ROOT}/{row['id']}")).json
    assert [one["step"] for one in shown["results"]] == [1]
    assert (shown["verdicts"], shown["event"]) == ([right], row["event"])


@pytest.mark.parametrize(("changes", "paths"), cases())
async def test_every_list_has_it_beside_the_others(
    user: User, log: Log, changes: dict[str, Any], paths: list[str]
) -> None:
    """List, search, export in both forms and the feed: one bad row takes no other away."""
    place = await begun(user)
    bad = await written(user, log, **changes)
    good = await log.add({"id": bad["workflow"]}, entity=f"c-{user.id}")
    status = "unknown" if "status" in paths else "failed"
    expected = {str(bad["id"]): status, str(good["id"]): "success"}
    listed = (await user.call("GET", ROOT)).json["items"]
    assert {one["id"]: one["status"] for one in listed} == expected
    lines = (await user.call("GET", f"{ROOT}/export?format=jsonl")).json.splitlines()
    table = (await user.call("GET", f"{ROOT}/export?format=csv")).json.splitlines()[1:]
    assert (len(lines), len(table)) == (2, 2)
    assert all(any(one in line and two in line for line in table) for one, two in expected.items())
    assert (await user.call("GET", f"/api/v1/search?q={bad['id']}")).status == 200
    for one in (bad, good):
        await log.connection.execute(f"{FEED} FROM automation_logs WHERE id = %s", (one["id"],))
    told = await missed(user, place)
    assert {data["id"]: data["status"] for _, data in told} == expected


@pytest.mark.parametrize("changes", [row for row, _ in BROKEN] + ODD)
async def test_what_counts_rows_goes_on(api: Api, user: User, admin: User, log: Log, changes: dict[str, Any]) -> None:
    """The queue, the overview, the list of workflows, and a publish preview."""
    row = await written(user, log, **changes)
    await save(user, (await user.call("GET", f"/api/v1/workflows/{row['workflow']}")).json, draft())
    answers = [
        await user.call("GET", "/api/v1/queue"),
        await admin.call("GET", "/api/v1/queue"),
        await user.call("GET", f"/api/v1/workflows/{row['workflow']}/publish-preview"),
    ]
    assert [answer.status for answer in answers] == [200] * 3, answers
    state = api.app[STATE]
    assert (await state.runs.overview.see(Caller(user.id, "user"), state.queue, state.health)).day


@pytest.mark.parametrize(("changes", "paths"), BROKEN)
async def test_it_is_not_retried(user: User, log: Log, changes: dict[str, Any], paths: list[str]) -> None:
    """409 that names what is wrong, and nothing is sent: a step that succeeded could be done again."""
    row = await written(user, log, **changes)
    answer = await user.call("POST", f"{ROOT}/{row['id']}/retry")
    assert (answer.status, await commands(log, user)) == (409, []), answer
    assert all(path in answer.json["detail"] for path in paths)


async def test_one_of_a_version_that_cannot_be_read_is_not_retried(user: User, log: Log) -> None:
    """409 that names what is wrong with the version."""
    row = await written(user, log)
    body = '{"id": "5", "trigger": {}}'
    insert = "INSERT INTO automation_revisions (automation_id, version, body, created_by) VALUES (%s, 77, %s, %s)"
    await log.connection.execute(insert, (row["workflow"], body, user.id))
    await log.connection.execute("UPDATE automation_logs SET version = 77 WHERE id = %s", (row["id"],))
    answer = await user.call("POST", f"{ROOT}/{row['id']}/retry")
    assert (answer.status, "Version 77" in answer.json["detail"], "trigger.type" in answer.json["detail"]) == (
        409,
        True,
        True,
    )


@pytest.mark.parametrize("verdicts", [5, {"met": False}, [5], "none", [{"operator": "all", "met": False}]])
async def test_why_not_is_told_without_verdicts_that_cannot_be_read(api: Api, log: Log, verdicts: Any) -> None:
    """The workflow's own line stays: its conditions were not met."""
    user, kind = api.user("user", "crm:read"), fresh()
    made = await workflow(user, kind)
    event = put(api, kind)
    await log.add(
        {"id": str(made)}, status="skipped", attempt=0, met=False, verdicts=verdicts, event=event, event_type=kind,
        event_id=event["id"], id=execution_id(made, "/shop", event["id"]), at=datetime.now(UTC) + timedelta(seconds=2),
    )  # fmt: skip
    (one,) = (await lookup(user, event))["event"]["workflows"]
    assert (one["verdict"], one["basis"]) == ("conditions_not_met", "log")


async def test_a_trial_of_an_event_that_cannot_be_read_says_so(user: User, log: Log) -> None:
    """404 with the way out, and no made-up event in its place."""
    row = await written(user, log, event=5)
    past = {"past": {"execution_id": str(row["id"])}}
    answer = await user.call("POST", f"/api/v1/workflows/{row['workflow']}/test", past)
    assert (answer.status, "cannot be read" in answer.json["detail"]) == (404, True)


@pytest.mark.parametrize("case", cases())
async def test_every_page_shows_it(
    api: Api, user: User, who: SignedIn, log: Log, case: tuple[dict[str, Any], list[str]]
) -> None:
    """The execution's own says what is left out; lists show it with the others."""
    changes, paths = case
    row = await written(user, log, **changes)
    await user.enter_customer(f"c-{user.id}")
    await log.connection.execute("UPDATE automations SET created_by = %s WHERE id = %s", (who.id, row["workflow"]))
    pages = {
        path: await seen(api, who, path)
        for path in (
            f"/executions/{row['id']}", f"/executions/{row['id']}?sent=yes", "/executions", "/", "/workflows",
            f"/customers/c-{user.id}", f"/customers/c-{user.id}/timeline", f"/workflows/{row['workflow']}",
        )
    }  # fmt: skip
    assert {path: status for path, (status, _) in pages.items()} == dict.fromkeys(pages, 200)
    assert ("cannot be read, and is left out" in pages[f"/executions/{row['id']}"][1]) is bool(paths)
    assert str(row["id"]) in pages["/executions"][1]


async def test_it_is_told_of_once(user: User, log: Log, caplog: pytest.LogCaptureFixture) -> None:
    """One line and one count, however often it is looked at; the line has its id."""
    row = await written(user, log, status="cancelled")
    before = counted()
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            await user.call("GET", ROOT)
    told = [one for one in caplog.records if getattr(one, "execution_id", "") == str(row["id"])]
    assert [(one.getMessage(), "status" in one.why) for one in told] == [  # type: ignore[attr-defined]
        ("a row of the execution log cannot be read in full", True)
    ]
    assert counted() == before + 1
