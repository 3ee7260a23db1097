"""Properties 16 and 17: the execution log."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.domain.clock import utc_now
from app.ports import HttpAnswer
from tests.admin.conftest import Api, User
from tests.admin.log import Log
from tests.admin.test_executions import FILTERS, NAMES, ROWS, listed, matches
from tests.domain.condition_oracle import holds
from tests.properties.engine import Engine, event
from tests.properties.examples import DATA, LEAVES, PROPERTY, exact

STEPS = st.lists(st.sampled_from(["apply_tag", "create_note", "webhook", "stop_workflow"]), min_size=1, max_size=4)
CONFIGS: dict[str, dict[str, Any]] = {
    "apply_tag": {"tag": "t"},
    "create_note": {"text": "n"},
    "webhook": {"url": "https://hooks.example.com/x", "body": None},
    "stop_workflow": {},
}


# Feature: automations-workflows, Property 16: Execution Logging Completeness
@PROPERTY
@given(steps=STEPS, conditions=st.lists(LEAVES, max_size=2), data=DATA)
async def test_16_every_execution_has_one_row_that_tells_all(
    engine: Engine, api: Api, steps: list[str], conditions: list[dict[str, Any]], data: dict[str, Any]
) -> None:
    """Event, each condition's verdict, each action's result and the times, whether it ran or was skipped."""
    actions = [{"type": kind, "config": CONFIGS[kind]} for kind in steps]
    workflow = await engine.workflow(api.user(), *actions, conditions=conditions)
    sent, began = event(workflow["trigger"]["type"], **data), utc_now()
    row = await engine.run(workflow, sent)
    expected = [holds(condition, sent["data"]) for condition in conditions]
    assert exact(row["trigger_event"]) == exact(sent)
    assert (row["conditions_met"], row["version"]) == (all(expected), workflow["version"])
    assert [verdict["met"] for verdict in row["conditions_result"]] == expected
    ran = steps if all(expected) else []
    assert [result["action_type"] for result in row["actions_executed"]] == ran
    ends = ran.index("stop_workflow") + 1 if "stop_workflow" in ran else len(ran)
    statuses = [result["status"] for result in row["actions_executed"]]
    assert statuses == ["success"] * ends + ["skipped"] * (len(ran) - ends)
    assert began - timedelta(seconds=1) <= row["executed_at"] <= utc_now()
    for result in row["actions_executed"]:
        assert row["executed_at"] <= datetime.fromisoformat(result["executed_at"]) <= utc_now()
    status = "skipped" if not all(expected) else "stopped" if "stop_workflow" in ran else "success"
    assert row["status"] == status


# Filters that a single row can tell the value of, and where it tells it.
ALONE = {name: name for name in ("status", "entity", "event_id", "event_type", "of")} | {"from": "at", "to": "at"}
RUNS = st.lists(
    st.fixed_dictionaries(
        {
            "status": st.sampled_from(["success", "failed", "stopped", "skipped"]),
            "entity": st.sampled_from(["c-1", "c-2"]),
            "event_id": st.sampled_from(["e-1", "e-2"]),
            "of": st.integers(0, 1),
        }
    ),
    min_size=1,
    max_size=4,
)


# Feature: automations-workflows, Property 17: Log Filtering Accuracy
@PROPERTY
@given(
    runs=RUNS,
    rows=st.lists(ROWS, max_size=8),
    wanted=FILTERS,
    alone=st.lists(st.tuples(st.sampled_from(sorted(ALONE)), st.integers(0, 11)), min_size=2, max_size=2),
)
async def test_17_only_rows_that_match_every_filter_are_listed(  # noqa: PLR0917 - hypothesis passes by name
    engine: Engine,
    api: Api,
    log: Log,
    runs: list[dict[str, Any]],
    rows: list[dict[str, Any]],
    wanted: dict[str, Any],
    alone: list[tuple[str, int]],
) -> None:
    """Exactly those of workflow, time, status, words and the rest that were asked for, in order, over all pages.

    Of what events have just made to run, and of rows of another time, which no event brings back. Besides some filters
    at random single ones, with the value of a row: at a bound of the time too.
    """
    user = api.user()
    workflows = [await logging_workflow(engine, user, name) for name in NAMES]
    made = await ran(engine, user, workflows, runs)
    made += [await log.add(workflows[row["of"]], **{k: v for k, v in row.items() if k != "of"}) | row for row in rows]
    times = {row["id"]: row["at"] for row in made}
    for filters in (wanted, *({key: made[at % len(made)][ALONE[key]]} for key, at in alone)):
        query = {key: value for key, value in filters.items() if key != "of"}
        if "of" in filters:
            query["workflow_id"] = workflows[filters["of"]]["id"]
        ids = await listed(user, limit=3 if filters is wanted else 200, **query)
        assert sorted(ids) == sorted(row["id"] for row in made if matches(row, filters))
        newest_first = filters.get("sort") != "executed_at"
        assert [times[one] for one in ids] == sorted((times[one] for one in ids), reverse=newest_first)


async def logging_workflow(engine: Engine, user: User, name: str) -> dict[str, Any]:
    """Make a workflow whose runs end as their event says."""
    goes = {"field": "status", "operator": "!=", "value": "skipped"}
    stops = {"field": "status", "operator": "==", "value": "stopped"}
    calls = {"type": "webhook", "config": CONFIGS["webhook"]}
    ends = {"type": "stop_workflow", "config": {}, "conditions": [stops]}
    return await engine.workflow(user, calls, ends, name=name, conditions=[goes])


async def ran(
    engine: Engine, user: User, workflows: list[dict[str, Any]], runs: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Let workflows run; returns their rows as the API lists them, in the events' order."""
    sent = [
        event(workflows[run["of"]]["trigger"]["type"], customer={"id": run["entity"]}, status=run["status"])
        | {"id": run["event_id"], "source": f"/tests/{position}"}
        for position, run in enumerate(runs)
    ]
    called = [run["status"] for run in runs if run["status"] != "skipped"]
    engine.http.answers = [HttpAnswer(404 if status == "failed" else 200, {}, "") for status in called]
    await engine.emit(*sent)
    rows = await engine.executions(user)
    told = [
        (NAMES.index(row["workflow_name"]), *(row[name] for name in ("entity", "event_id", "status"))) for row in rows
    ]
    asked = [(run["of"], run["entity"], run["event_id"], run["status"]) for run in runs]
    assert sorted(told) == sorted(asked)
    return [
        {name: row[name] for name in ("entity", "event_id", "event_type", "status", "error")}
        | {"id": UUID(row["id"]), "at": datetime.fromisoformat(row["executed_at"]), "of": of}
        for row, (of, *_) in zip(rows, told, strict=True)
    ]
