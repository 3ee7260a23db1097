"""Every wrong field of a workflow is named, with the path to it."""

from typing import Any

import orjson
import pytest

from tests.admin.conftest import User, draft

ROOT = "/api/v1/workflows"
TAG = {"type": "apply_tag", "order": 1, "config": {"tag": "t"}}


async def errors(user: User, body: Any) -> dict[str, str]:
    """Send a wrong draft; return its errors by path."""
    answer = await user.call("POST", ROOT, body)
    assert answer.status == 400, answer.json
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    return {error["path"]: error["message"] for error in answer.json["errors"]}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": 7}, "name"),
        ({"priority": 0}, "priority"),
        ({"priority": 10}, "priority"),
        ({"reentry": "twice"}, "reentry"),
        ({"reentry": "once per"}, "reentry"),
        ({"reentry": "once per month"}, "reentry"),
        ({"reentry": "once per 0 s"}, "reentry"),
        ({"reentry": 7}, "reentry"),
        ({"reentry": {"once": True}}, "reentry.key"),
        ({"reentry": {"key": "cart.id"}}, "reentry.once"),
        ({"reentry": {"once": False, "key": "cart.id"}}, "reentry.once"),
        ({"reentry": {"once": True, "once_per": "1 h", "key": "cart.id"}}, "reentry.once"),
        ({"reentry": {"once_per": "1 month", "key": "cart.id"}}, "reentry.once_per"),
        ({"reentry": {"once_per": "1 h", "key": "cart..id"}}, "reentry.key"),
        ({"reentry": {"once_per": "1 h", "key": ["cart"]}}, "reentry.key"),
        ({"reentry": {"once": True, "key": "current.customer.id"}}, "reentry.key"),
        ({"reentry": {"once_per": "1 h", "key": "results.0.output"}}, "reentry.key"),
        ({"reentry": {"once": True, "key": "event.data"}}, "reentry.key"),
        ({"conditions": [{"field": "a", "operator": "==", "value": {"tomorrow": True}}]}, "conditions[0].value"),
        ({"conditions": [{"field": "a", "operator": "!=", "value": {"today": "soon"}}]}, "conditions[0].value"),
        (
            {"actions": [{**TAG, "conditions": [{"field": "a", "operator": "==", "value": {"a": 1}}]}]},
            "actions[0].conditions[0].value",
        ),
        ({"actions": [{**TAG, "on_error": "halt"}]}, "actions[0].on_error"),
        ({"active": True}, "active"),
        ({"trigger": None}, "trigger"),
        ({"trigger": {"type": "order"}}, "trigger.type"),
        ({"trigger": {"type": "order.paid", "config": {"at": "9:00"}}}, "trigger.config.at"),
        ({"trigger": {"type": "order.paid", "when": 1}}, "trigger.when"),
        ({"trigger": {"type": "tag.applied", "config": {"tag": ""}}}, "trigger.config.tag"),
        ({"trigger": {"type": "customer.updated", "config": {"fields": []}}}, "trigger.config.fields"),
        ({"trigger": {"type": "temporal.daily"}}, "trigger.config.at"),
        ({"trigger": {"type": "temporal.daily", "config": {"at": "24:00"}}}, "trigger.config.at"),
        ({"trigger": {"type": "temporal.daily", "config": {"at": "09:00", "day": 1}}}, "trigger.config.day"),
        (
            {"trigger": {"type": "temporal.daily", "config": {"at": "09:00", "timezone": "Mars/Base"}}},
            "trigger.config.timezone",
        ),
        ({"trigger": {"type": "temporal.weekly", "config": {"at": "09:00", "days": []}}}, "trigger.config.days"),
        ({"trigger": {"type": "temporal.monthly", "config": {"at": "09:00", "day": 32}}}, "trigger.config.day"),
        (
            {"trigger": {"type": "temporal.daily", "config": {"at": "09:00", "audience": [{"field": "a"}]}}},
            "trigger.config.audience",
        ),
        ({"actions": []}, "actions"),
        ({"actions": [TAG, TAG]}, "actions"),
        ({"actions": [{**TAG, "order": n} for n in range(51)]}, "actions"),
        ({"actions": [{**TAG, "type": "apply_tags"}]}, "actions[0].type"),
        ({"actions": [{**TAG, "order": -1}]}, "actions[0].order"),
        ({"actions": [{**TAG, "config": {}}]}, "actions[0].config.tag"),
        ({"actions": [{**TAG, "config": {"tag": "t", "colour": "red"}}]}, "actions[0].config.colour"),
        ({"actions": [TAG, {"type": "webhook", "order": 2, "config": {}}]}, "actions[1].config.url"),
        ({"actions": [{**TAG, "config": None}]}, "actions[0].config"),
        ({"actions": [{**TAG, "conditions": [{"field": "a", "value": 1}]}]}, "actions[0].conditions[0].operator"),
        ({"conditions": "all"}, "conditions"),
        ({"conditions": [3]}, "conditions[0]"),
        ({"conditions": [{"field": "a", "operator": "~", "value": 1}]}, "conditions[0].operator"),
        ({"conditions": [{"any": [{"field": "", "operator": "==", "value": 1}]}]}, "conditions[0].any[0].field"),
        ({"description": "x" * 10_001}, "description"),
        ({"name": "a\x00b"}, "name"),
    ],
)
async def test_a_wrong_field_is_named(user: User, changes: dict[str, Any], path: str) -> None:
    """One wrong field: 400 with exactly its path."""
    assert list(await errors(user, draft(**changes))) == [path]


async def test_all_wrong_fields_are_named_at_once(user: User) -> None:
    """Shapes, conditions and configs that are wrong are listed together, so that one round is enough."""
    condition = {"field": "a", "operator": "==", "value": 1}
    found = await errors(
        user,
        draft(
            name="",
            conditions=[condition, {**condition, "operator": "?"}, condition, {"field": "b", "value": 2}],
            actions=[{**TAG, "config": {}}, {"type": "nothing", "order": 2}, {**TAG, "order": "first"}],
        ),
    )
    assert set(found) == {
        "name",
        "conditions[1].operator",
        "conditions[3].operator",
        "actions[0].config.tag",
        "actions[1].type",
        "actions[2].order",
    }


@pytest.mark.parametrize("body", [[], "x", 3, True])
async def test_what_is_no_object_is_refused(user: User, body: Any) -> None:
    """A draft is an object."""
    assert list(await errors(user, body)) == [""]


async def test_an_integer_that_would_not_stay_exact_is_refused(user: User) -> None:
    """Over 64 bits it would be stored as the nearest float, and compare with others than it says."""
    condition = {"field": "order.id", "operator": "==", "value": 0}
    body = orjson.dumps(draft(conditions=[condition])).replace(b'"value":0', b'"value":18446744073709551617')
    answer = await user.call("POST", ROOT, data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 400
    said = "18446744073709551617 is an integer over 64 bits; write it as a string"
    assert answer.json["errors"] == [{"path": "conditions[0].value", "message": said}]


async def test_what_cannot_be_stored_is_said(user: User) -> None:
    """A NUL character, and nesting deeper than our encoder writes, are refused before anything is opened for them."""
    deep: Any = 1
    for _ in range(70):
        deep = [deep]
    assert "NUL" in (await errors(user, draft(description="a\x00b")))["description"]
    webhook = {"type": "webhook", "order": 1, "config": {"url": "https://example.com", "body": deep}}
    assert "deeper than 64" in (await errors(user, draft(actions=[webhook])))["actions[0].config.body[0]"]
    body = b'{"conditions": [{"value": ' + b"[" * 2000 + b"]" * 2000 + b"}]}"
    answer = await user.call("POST", ROOT, data=body, headers={"Content-Type": "application/json"})
    assert answer.json["errors"] == [{"path": "conditions[0].value[0][0]", "message": "nests deeper than 64 levels"}]


async def test_a_workflow_that_is_too_large_is_refused(user: User) -> None:
    """A revision has at most 128 KiB, so that a routing slip always fits into a record."""
    notes = [{"type": "create_note", "order": n, "config": {"text": "x" * 7000}} for n in range(20)]
    assert "131072" in (await errors(user, draft(actions=notes)))[""]


async def test_more_than_a_hundred_errors_are_cut(user: User) -> None:
    """The list of errors is bounded, and says so."""
    answer = await user.call("POST", ROOT, draft(**{f"k{n}": 1 for n in range(150)}))
    assert (answer.status, len(answer.json["errors"])) == (400, 100)
    assert "150" in answer.json["detail"]


async def test_a_template_that_does_not_parse_is_named(user: User) -> None:
    """A broken template is found on save, not when the first customer is waiting."""
    broken = {"type": "create_note", "order": 1, "config": {"text": "Hello {{ customer.name"}}
    assert list(await errors(user, draft(actions=[broken]))) == ["actions[0].config.text"]
