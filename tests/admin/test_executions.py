"""The execution log through the API: filters, pages, and why something ran or did not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import SecretStr

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.execution_pages import edge_of_words
from app.adapters.postgres.executions import PostgresExecutions
from app.domain.callers import Caller
from app.domain.paging import LookedThrough, Position
from app.domain.spans import Span
from app.ports.executions import ExecutionFilter
from app.settings import Settings
from tests.admin.conftest import Api, User
from tests.admin.log import NOW, Log
from tests.support.logins import as_role

ROOT = "/api/v1/executions"
LETTER = """
    INSERT INTO dead_letters (topic, "partition", "offset", reason, detail, size, role, failed_at, event_id)
    VALUES ('t.events.order', 0, %s, 'absurd_timestamp', 'it is 1970', 0, 'matcher', %s, %s) RETURNING id
"""
MOMENTS = st.integers(-3, 3).map(lambda minutes: NOW + timedelta(minutes=minutes))
NAMES = ("Big order", "A second one, 100 %")
STATUSES = ("success", "partial", "failed", "skipped", "stopped", "blocked", "timed_out")
ROWS = st.fixed_dictionaries(
    {
        "status": st.sampled_from(STATUSES),
        "entity": st.sampled_from(["c-1", "c-2"]),
        "event_id": st.sampled_from(["e-1", "e-2"]),
        "event_type": st.sampled_from(["order.paid", "custom.x"]),
        "error": st.sampled_from([None, "the CRM said NO", "timed out after 5 s"]),
        "at": MOMENTS,
        "of": st.integers(0, 1),
    }
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.lists(st.sampled_from(STATUSES), min_size=1, max_size=7).map(",".join),
        "entity": st.sampled_from(["c-1", "c-2", "c-3"]),
        "event_id": st.sampled_from(["e-1", "e-2"]),
        "event_type": st.sampled_from(["order.paid", "custom.x", "order.none"]),
        "search": st.sampled_from(["crm said no", "5 s", "%", "second", "order"]),
        "sort": st.sampled_from(["executed_at", "-executed_at"]),
        "from": MOMENTS,
        "to": MOMENTS,
        "of": st.integers(0, 1),
    },
)


async def listed(user: User, **query: Any) -> list[UUID]:
    """Ids of all pages."""
    ids: list[UUID] = []
    params = {name: str(value) for name, value in query.items()}
    while True:
        answer = await user.call("GET", ROOT, params=params)
        assert answer.status == 200, answer.json
        ids += [UUID(row["id"]) for row in answer.json["items"]]
        if answer.json["next_cursor"] is None:
            return ids
        params["cursor"] = answer.json["next_cursor"]


@examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, max_size=12), wanted=FILTERS)
async def test_only_rows_that_match_every_filter_are_listed(
    api: Api, log: Log, rows: list[dict[str, Any]], wanted: dict[str, Any]
) -> None:
    """Property 17: exactly the rows that match all filters, in order, whatever the page size."""
    user = api.user()
    workflows = [await user.create(), await user.create(name=NAMES[1])]
    made = [await log.add(workflows[row["of"]], **{k: v for k, v in row.items() if k != "of"}) | row for row in rows]
    query = {key: value for key, value in wanted.items() if key != "of"}
    if "of" in wanted:
        query["workflow_id"] = workflows[wanted["of"]]["id"]
    expected = [row for row in made if matches(row, wanted)]
    ids = await listed(user, limit=3, **query)
    assert sorted(ids) == sorted(row["id"] for row in expected)
    times = {row["id"]: row["at"] for row in made}
    newest_first = wanted.get("sort") != "executed_at"
    assert [times[one] for one in ids] == sorted((times[one] for one in ids), reverse=newest_first)


def matches(row: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """The filters' meaning, said once more, without SQL."""
    same = all(row[key] == wanted[key] for key in ("entity", "event_id", "event_type", "of") if key in wanted)
    same = same and row["status"] in wanted.get("status", row["status"]).split(",")
    words = wanted.get("search", "").lower()
    same = same and (words in NAMES[row["of"]].lower() or words in (row["error"] or "").lower())
    return same and wanted.get("from", row["at"]) <= row["at"] and ("to" not in wanted or row["at"] < wanted["to"])


async def test_others_executions_are_not_there(api: Api, user: User, admin: User, log: Log) -> None:
    """A user sees the executions of their own workflows, an admin all, a stranger none."""
    row = await log.add(await user.create())
    assert await listed(user) == [row["id"]]
    assert row["id"] in await listed(admin, limit=200)
    stranger = api.user()
    assert await listed(stranger) == []
    assert (await stranger.call("GET", f"{ROOT}/{row['id']}")).status == 404


async def test_pages_hold_every_row_once_while_rows_arrive(user: User, log: Log) -> None:
    """Rows with one and the same time, and newer ones that arrive between pages: each old row comes exactly once."""
    workflow = await user.create()
    old = {(await log.add(workflow))["id"] for _ in range(7)}
    params = {"limit": "2"}
    seen: list[UUID] = []
    while True:
        page = (await user.call("GET", ROOT, params=params)).json
        seen += [UUID(row["id"]) for row in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
        await log.add(workflow, at=NOW + timedelta(hours=1))
    assert (len(seen), set(seen)) == (7, old)


async def test_an_execution_is_shown_whole(user: User, log: Log) -> None:
    """Event, verdicts and results are those of the row, and a deleted workflow's executions stay."""
    workflow = await user.create()
    verdicts = [{"path": "order.total", "operator": ">", "expected": 5, "actual": 9, "met": True, "reason": "9 > 5"}]
    result = {
        "step": 0, "action_type": "apply_tag", "status": "failed", "output": {}, "error": "the CRM said no",
        "attempts": 4, "uncertain": False, "stop": False, "executed_at": "2026-03-01T09:30:00Z", "duration_ms": 7,
        "verdicts": [],
    }  # fmt: skip
    row = await log.add(workflow, verdicts=verdicts, results=[result], status="failed", attempt=2)
    await user.call("DELETE", f"/api/v1/workflows/{workflow['id']}")
    shown = (await user.call("GET", f"{ROOT}/{row['id']}")).json
    assert shown["event"] == row["event"]
    assert shown["verdicts"] == verdicts
    assert [{key: told[key] for key in result} for told in shown["results"]] == [result]
    assert [shown[key] for key in ("workflow_id", "workflow_name", "version", "attempt", "status")] == [
        workflow["id"], "Big order", 1, 2, "failed",
    ]  # fmt: skip
    assert "order.total is 9, more than 5" in shown["explanation"]
    assert "the CRM said no" in shown["explanation"]


async def test_an_archived_execution_is_still_shown(user: User, log: Log) -> None:
    """A row whose day went to the archive can be read by its id."""
    workflow = await user.create()
    day = (NOW - timedelta(days=200)).date()
    await log.connection.execute("SELECT headrace_make_log_partition(%s)", (day,))
    execution = uuid4()
    await log.connection.execute(
        "INSERT INTO automation_logs_archive (id, automation_id, trigger_event, conditions_met, status, executed_at)"
        " VALUES (%s, %s, '{}', true, 'success', %s)",
        (execution, UUID(workflow["id"]), NOW - timedelta(days=200)),
    )
    assert (await user.call("GET", f"{ROOT}/{execution}")).status == 200


@pytest.mark.parametrize("path", [str(UUID(int=404)), "x", "1", "%00"])
async def test_an_execution_that_is_not_there_is_404(user: User, path: str) -> None:
    """Unknown ids and what is no id."""
    assert (await user.call("GET", f"{ROOT}/{path}")).status == 404


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("status=done", "status"),
        ("status=failed,", "status"),
        ("search=", "search"),
        ("sort=duration", "sort"),
        ("workflow_id=x", "workflow_id"),
        ("from=yesterday", "from"),
        ("to=2026-03-01T00:00:00", "to"),
        ("since=2026-03-01T00:00:00Z", "since"),
        ("limit=1000", "limit"),
    ],
)
async def test_a_wrong_filter_is_named(user: User, query: str, path: str) -> None:
    """A filter that is not understood is refused: a list that ignores it would lie."""
    answer = await user.call("GET", f"{ROOT}?{query}")
    assert (answer.status, [error["path"] for error in answer.json["errors"]]) == (400, [path])


async def test_an_event_that_was_not_processed_is_told_of(api: Api, log: Log) -> None:
    """Nothing ran for it: administrators get its letters beside the empty list, others that it was not, and why."""
    event = uuid4().hex
    made = [(await (await log.connection.execute(LETTER, (n, NOW, event))).fetchall())[0][0] for n in range(2)]
    told = (await api.user("admin").call("GET", ROOT, params={"event_id": event})).json
    assert told["items"] == []
    assert [(note["number"], note["reason"], note["detail"]) for note in told["dead_letters"]] == [
        (number, "absurd_timestamp", "it is 1970") for number in made[::-1]
    ]
    (note, _) = (await api.user().call("GET", ROOT, params={"event_id": event})).json["dead_letters"]
    assert (note["number"], note["detail"]) == (None, None)
    assert (note["reason"], note["role"], note["state"]) == ("absurd_timestamp", "matcher", "open")


async def test_letters_are_named_for_one_event_only(api: Api, log: Log) -> None:
    """A list of anything else has none, nor has that of an event without one."""
    await log.connection.execute(LETTER, (9, NOW, uuid4().hex))
    for query in ({}, {"entity": "c-1"}, {"event_id": uuid4().hex}):
        assert (await api.user("admin").call("GET", ROOT, params=query)).json["dead_letters"] == []


@pytest.mark.parametrize("sort", ["executed_at", "-executed_at"])
async def test_words_are_looked_for_week_by_week_to_the_end(api: Api, log: Log, sort: str) -> None:
    """Rows weeks apart: every page looks through a bounded time, the cursors lead through all of them, and end."""
    user = api.user()
    workflow = await user.create()
    made = []
    for days in (0, 6, 7, 20, 44, 60):
        at = NOW - timedelta(days=days)
        made.append((await log.add(workflow, at=at, status="failed", error="The CRM said no"))["id"])
    assert await listed(user, search="crm said", sort=sort) == (made if sort.startswith("-") else made[::-1])
    first = (await user.call("GET", ROOT, params={"search": "nothing has this", "sort": sort})).json
    assert (first["items"], first["next_cursor"] is None) == ([], False)
    bounded = {"search": "crm said", "from": NOW - timedelta(days=20), "to": NOW - timedelta(days=1)}
    assert sorted(await listed(user, **bounded)) == sorted(made[1:4])


@pytest.mark.parametrize("oldest_first", [True, False])
async def test_words_are_looked_for_in_so_many_rows_a_page(
    api: Api, log: Log, settings: Settings, *, oldest_first: bool
) -> None:
    """However many rows of an hour tell of trouble: a page looks through some, the next goes on, none is left out."""
    user, database = api.user(), ApiDatabase(settings)
    workflow = await user.create()
    for minutes in range(9):
        error = "The CRM said no" if minutes % 2 else "no answer"
        await log.add(workflow, at=NOW - timedelta(minutes=minutes), status="failed", error=error)
    store, wanted = PostgresExecutions(database, words_in=2), ExecutionFilter(search="said", oldest_first=oldest_first)
    looks: list[list[datetime]] = []
    after: Position | None = None
    while not looks or after is not None:
        page = await store.find(Caller(user.id, "user"), wanted, after, 50)
        looks.append([row.executed_at for row in page])
        after = page.position if isinstance(page, LookedThrough) else None
    await database.close()
    found = [at for look in looks for at in look]
    assert found == sorted([NOW - timedelta(minutes=n) for n in (1, 3, 5, 7)], reverse=not oldest_first)
    assert max(map(len, looks)) <= 2


@pytest.mark.parametrize("oldest_first", [True, False])
async def test_filters_that_no_index_answers_together_are_looked_for_bit_by_bit(
    api: Api, log: Log, settings: Settings, *, oldest_first: bool
) -> None:
    """A page goes no further than its patience lasts, the next goes on, and none is left out."""
    user, database = api.user(), ApiDatabase(settings)
    workflow = await user.create()
    begin = datetime.now(UTC)
    made = [begin - timedelta(hours=hours) for hours in (1, 2, 5, 30, 31, 50)]
    for at in made:
        await log.add(workflow, at=at, event_type="order.paid")
        await log.add(workflow, at=at, event_type="order.created")
    wanted = ExecutionFilter(workflow_id=UUID(workflow["id"]), event_type="order.paid", oldest_first=oldest_first)
    store, looks, after = PostgresExecutions(database, patience=0.0), list[list[datetime]](), None
    while not looks or after is not None:
        page = await store.find(Caller(user.id, "user"), wanted, after, 50)
        looks.append([row.executed_at for row in page])
        after = page.position if isinstance(page, LookedThrough) else None
    patient = await PostgresExecutions(database, patience=60).find(Caller(user.id, "user"), wanted, None, 50)
    await database.close()
    assert [at for look in looks for at in look] == sorted(made, reverse=not oldest_first)
    assert [row.executed_at for row in patient] == sorted(made, reverse=not oldest_first)
    assert len(looks) > 3


async def test_a_page_without_a_row_looks_further_than_one_with_some(api: Api, log: Log, settings: Settings) -> None:
    """Who is shown nothing asks again at once; still there is an end, and the next page goes on from it."""
    user, database, ticks = api.user(), ApiDatabase(settings), count()
    workflow = await user.create()
    at = datetime.now(UTC) - timedelta(hours=40)
    await log.add(workflow, at=at, event_type="order.paid")
    # Each look at the clock finds it 10 ms on, so that every span of three hours costs what it should.
    store = PostgresExecutions(database, patience=0.05, clock=lambda: next(ticks) / 100)
    wanted = ExecutionFilter(workflow_id=UUID(workflow["id"]), event_type="order.paid")
    page = await store.find(Caller(user.id, "user"), wanted, None, 50)
    without = await store.find(Caller(user.id, "user"), replace(wanted, event_type="order.created"), None, 50)
    await database.close()
    assert [row.executed_at for row in page] == [at]
    assert isinstance(without, LookedThrough)
    assert without.position.at > at - timedelta(days=30)


async def test_in_which_rows_words_are_looked_for_is_told_by_an_index_alone(settings: Settings, database: str) -> None:
    """Not one row is read to find out how far a page looks: their index holds all that is asked."""
    # A database of its own: of few rows that were just written any index may be as cheap.
    own = settings.model_copy(update={"database_url": SecretStr(as_role(database, DatabaseRole.API))})
    engine, statement = ApiDatabase(own), edge_of_words(ExecutionFilter(search="no"), Span(None, NOW), 3000)
    async with engine.reading(Caller(uuid4(), "admin")) as connection:
        for other in ("enable_seqscan", "enable_bitmapscan", "enable_sort", "enable_indexscan"):
            await connection.exec_driver_sql(f"SET LOCAL {other} = off")
        asked = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        plan = [row[0] for row in await connection.exec_driver_sql(f"EXPLAIN {asked}")]
    await engine.close()
    scans = [line for line in plan if " on automation_logs" in line]
    assert scans
    assert all("Index Only Scan" in line and "executed_at_automation_id_idx" in line for line in scans), scans


async def test_the_specifications_names_are_there_too(user: User, log: Log) -> None:
    """A list has two of them, an execution by its id all five, each with what ours has."""
    row = await log.add(await user.create(), verdicts=[{"path": "a", "met": True, "reason": "1 > 0"}])
    (listing,) = (await user.call("GET", ROOT)).json["items"]
    shown = (await user.call("GET", f"{ROOT}/{row['id']}")).json
    both = {"automation_id": "workflow_id", "execution_duration_ms": "duration_ms"}
    whole = {"trigger_event": "event", "conditions_result": "verdicts", "actions_executed": "results", **both}
    assert {name: listing[name] for name in both} == {name: listing[ours] for name, ours in both.items()}
    assert {name: shown[name] for name in whole} == {name: shown[ours] for name, ours in whole.items()}
