"""Moments in query strings and bodies: ISO 8601 with an offset, as the document says, and none that cannot be kept."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.admin.routes import OPERATIONS
from tests.admin.conftest import Api, draft
from tests.admin.test_openapi import DOCUMENT
from tests.admin.test_problems import assert_problem

# Numbers are no moments though they could be read as seconds; the others overflow in Kafka, Postgres or Python.
NONE = (
    "0.5", "1700000000", "-1", "2026-03-01", "2026-03-01T10:00:00", "2026-13-01T10:00:00Z", "1969-12-31T23:59:59Z",
    "0136-06-07T02:08:41-04:56", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
)  # fmt: skip
SOME = ("1970-01-01T00:00:00Z", "2026-03-01T10:00:00.5+05:30", "9998-12-31T23:59:59Z")
REQUIRED = {"lookUpEvent": {"source": "/s", "id": "1"}}


def dated() -> list[tuple[str, str, str]]:
    """Each parameter of a query string that is a moment: operation, path and name."""
    return [
        (operation.name, operation.path, parameter["name"])
        for operation in OPERATIONS
        for parameter in DOCUMENT["paths"][operation.path][operation.method.lower()]["parameters"]
        if parameter["in"] == "query" and "date-time" in str(parameter["schema"])
    ]


@pytest.mark.parametrize(("name", "path", "parameter"), dated())
async def test_what_is_no_moment_is_refused_in_a_query(api: Api, name: str, path: str, parameter: str) -> None:
    """400 that names the parameter; what is one is looked for, be it the first or the last that is kept."""
    admin, required = api.user("admin"), REQUIRED.get(name, {})
    for text in NONE:
        answer = await admin.call("GET", path, params={**required, parameter: text})
        assert_problem(answer, 400)
        assert [one["path"] for one in answer.json["errors"]] == [parameter], text
    for text in SOME:
        answer = await admin.call("GET", path, params={**required, parameter: text})
        assert answer.status == 200, (text, answer)


PAST = {"source": "/s", "id": "1"}
# By operation and the path of the moment in its body: the rest of the body. An event's own time is the sender's to say.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("createTask", "due_at"): {"title": "Call"},
    ("createAppointment", "starts_at"): {"customer_id": "c-moments", "title": "Fitting"},
    ("createAppointment", "ends_at"): {
        "customer_id": "c-moments", "title": "Fitting", "starts_at": "2026-03-01T10:00:00Z",
    },
    ("createApiKey", "expires_at"): {"name": "shop", "permissions": ["events:write"]},
    ("testDraft", "past.since"): {"workflow": draft()},
    ("testWorkflow", "past.since"): {},
}  # fmt: skip


def _moments_of(schema: Any, at: str = "", seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the paths of all moments of a schema."""
    if isinstance(schema, list):
        for one in schema:
            yield from _moments_of(one, at, seen)
    elif isinstance(schema, dict):
        if schema.get("format") == "date-time":
            yield at
        reference = schema.get("$ref", "")
        if reference and reference not in seen:
            yield from _moments_of(DOCUMENT["components"]["schemas"][reference.rsplit("/")[-1]], at, seen | {reference})
        for name, one in schema.get("properties", {}).items():
            yield from _moments_of(one, f"{at}.{name}".lstrip("."), seen)
        for name in ("anyOf", "oneOf", "allOf", "items", "additionalProperties"):
            yield from _moments_of(schema.get(name), at, seen)


def test_every_moment_in_a_body_is_tried() -> None:
    """Whichever operation has one, the next test sends it what is none."""
    found = {
        (operation.name, at)
        for operation in OPERATIONS
        if operation.body is not None
        for content in DOCUMENT["paths"][operation.path][operation.method.lower()]["requestBody"]["content"].values()
        for at in _moments_of(content["schema"])
    }
    assert found - {("ingestEvents", "time")} == set(BODIES)


@pytest.mark.parametrize(("name", "field"), BODIES)
async def test_what_is_no_moment_is_refused_in_a_body(api: Api, name: str, field: str) -> None:
    """Nor is a number of JSON; nothing of it is stored, where it could not be read again."""
    admin = api.user("admin")
    (operation,) = [one for one in OPERATIONS if one.name == name]
    await admin.call("POST", "/api/v1/crm/customers", {"id": "c-moments", "name": "Ada"})
    path = operation.path.replace("{id}", (await admin.create())["id"])
    for value in (*NONE, 5, 0.5, True):
        body = BODIES[name, field]
        body = {**body, "past": {**PAST, "since": value}} if field == "past.since" else {**body, field: value}
        answer = await admin.call("POST", path, body)
        assert_problem(answer, 400)
        assert [one["path"] for one in answer.json["errors"]] == [field], value
    if field != "past.since":
        assert (await admin.call("GET", path)).status == 200


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_an_event_of_any_time_is_no_error_of_ours(api: Api, time: str) -> None:
    """Taken or refused by name; and found again, with what became of it, if taken."""
    admin = api.user("admin", "crm:read")
    event = {"specversion": "1.0", "id": f"e-{time}", "source": "/s", "type": "order.paid", "time": time, "data": {}}
    answer = await admin.call("POST", "/api/v1/events", event)
    assert answer.status in {202, 400}, answer
    if answer.status == 400:
        assert [one["path"] for one in answer.json["errors"]] == ["time"]
    trial = await admin.call("POST", "/api/v1/workflows/test", {"workflow": draft(), "event": event})
    assert trial.status in {200, 400}, trial
