"""Properties 16 and 17: the execution log."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.admin.conftest import Api
from tests.admin.log import Log
from tests.admin.test_executions import FILTERS, ROWS, listed, matches
from tests.domain.condition_oracle import holds
from tests.properties.engine import Engine, event, utc_now
from tests.properties.examples import DATA, LEAVES, PROPERTY

STEPS = st.lists(st.sampled_from(["apply_tag", "create_note", "webhook", "stop_workflow"]), min_size=1, max_size=4)
CONFIGS: dict[str, dict[str, Any]] = {
    "apply_tag": {"tag": "t"},
    "create_note": {"text": "n"},
    "webhook": {"url": "https://hooks.example.com/x", "body": None},
    "stop_workflow": {},
}


def exact(value: Any) -> Any:
    """Return JSON with its numbers as they are written: Postgres keeps the decimal digits, Python floats do not."""
    if isinstance(value, dict):
        return {name: exact(member) for name, member in value.items()}
    if isinstance(value, list):
        return [exact(member) for member in value]
    return value if isinstance(value, bool) or not isinstance(value, int | float) else Decimal(repr(value))


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


# Feature: automations-workflows, Property 17: Log Filtering Accuracy
@PROPERTY
@given(rows=st.lists(ROWS, max_size=10), wanted=FILTERS)
async def test_17_only_rows_that_match_every_filter_are_listed(
    api: Api, log: Log, rows: list[dict[str, Any]], wanted: dict[str, Any]
) -> None:
    """Exactly those of workflow, time, status, entity and event that were asked for, newest first, over all pages.

    Besides some filters at random each one by itself, with the first row's own value: at a bound of the time too.
    """
    user = api.user()
    workflows = [await user.create(), await user.create()]
    made = [await log.add(workflows[row["of"]], **{k: v for k, v in row.items() if k != "of"}) | row for row in rows]
    times = {row["id"]: row["at"] for row in made}
    for filters in (wanted, *(one for row in rows[:1] for one in alone(row))):
        query = {key: value for key, value in filters.items() if key != "of"}
        if "of" in filters:
            query["workflow_id"] = workflows[filters["of"]]["id"]
        ids = await listed(user, limit=3, **query)
        assert sorted(ids) == sorted(row["id"] for row in made if matches(row, filters))
        assert [times[one] for one in ids] == sorted((times[one] for one in ids), reverse=True)


def alone(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return each filter by itself, with a row's value."""
    return [{key: row[key]} for key in ("status", "entity", "event_id", "of")] + [
        {"from": row["at"]},
        {"to": row["at"]},
    ]
