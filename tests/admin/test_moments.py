"""Moments in query strings and bodies: ISO 8601 with an offset, as the document says, and none that cannot be kept."""

from typing import Any

import pytest

from app.admin.routes import OPERATIONS
from tests.admin.conftest import Api
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


@pytest.mark.parametrize(
    ("path", "field", "body"),
    [
        ("/api/v1/crm/tasks", "due_at", {"title": "Call"}),
        ("/api/v1/crm/appointments", "starts_at", {"customer_id": "c-moments", "title": "Fitting"}),
        ("/api/v1/api-keys", "expires_at", {"name": "shop", "permissions": ["events:write"]}),
    ],
)
async def test_what_is_no_moment_is_refused_in_a_body(api: Api, path: str, field: str, body: dict[str, Any]) -> None:
    """Nor is a number of JSON; nothing of it is stored, where it could not be read again."""
    admin = api.user("admin")
    await admin.call("POST", "/api/v1/crm/customers", {"id": "c-moments", "name": "Ada"})
    for value in (*NONE, 5, 0.5, True):
        answer = await admin.call("POST", path, {**body, field: value})
        assert_problem(answer, 400)
        assert [one["path"] for one in answer.json["errors"]] == [field], value
    assert (await admin.call("GET", path)).status == 200
