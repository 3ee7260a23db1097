"""The OpenAPI document is complete, valid, and what the API really does."""

from collections import defaultdict
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator

from app.admin.openapi import openapi
from app.admin.pages.routes import PAGES
from app.admin.routes import OPERATIONS
from app.admin.state import STATE
from tests.admin.conftest import Answer, Api, User, draft
from tests.admin.log import Log
from tests.admin.test_dead_letters import letter

DOCUMENT = openapi(OPERATIONS, "1")
_SYSTEM_METHODS = {"HEAD", "*"}


def described(method: str, path: str) -> dict[str, Any]:
    """What the document says of an operation."""
    operation: dict[str, Any] = DOCUMENT["paths"][path][method.lower()]
    return operation


def assert_as_described(answer: Answer, method: str, path: str) -> None:
    """The status is listed, and the body is valid under the schema of its content type."""
    response = described(method, path)["responses"][str(answer.status)]
    content_type = answer.headers.get("Content-Type", "").partition(";")[0]
    if "content" not in response:
        assert answer.json in ("", None)
        return
    schema = {**response["content"][content_type]["schema"], "components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(answer.json)
    for name in response.get("headers", {}):
        assert name in answer.headers


async def test_every_route_is_in_the_document(api: Api) -> None:
    """No route without a description, no description without a route; what people see is no API."""
    pages = {(page.method, page.path.replace(":.+", "")) for page in PAGES}
    routes = {
        (route.method, route.resource.canonical)
        for route in api.app.router.routes()
        if route.resource and route.method not in _SYSTEM_METHODS
    } - pages
    listed = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert routes == listed


async def test_the_document_is_served(api: Api) -> None:
    """Anybody can read it; it is OpenAPI 3.1, with no reference that leads nowhere and no id twice."""
    async with api.client.get("/openapi.json") as response:
        document = await response.json()
    assert document["openapi"].startswith("3.1")
    assert document["paths"].keys() == DOCUMENT["paths"].keys()
    for reference in references(document):
        kind, _, name = reference.removeprefix("#/components/").partition("/")
        assert name in document["components"][kind]
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    names = [operation.name for operation in OPERATIONS]
    assert len(set(names)) == len(names)


def test_no_parameter_of_a_query_is_null() -> None:
    """What may be left out is no null, which a URL cannot hold; and what must be there is said to be required."""
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            for parameter in operation["parameters"]:
                assert "null" not in str(parameter["schema"].get("anyOf", "")), (operation["operationId"], parameter)
    lookup = {one["name"]: one for one in described("GET", "/api/v1/events/lookup")["parameters"]}
    assert {name for name, one in lookup.items() if one.get("required")} == {"source", "id"}


def references(value: Any) -> list[str]:
    """Every ``$ref`` in a document."""
    if isinstance(value, list):
        return [found for member in value for found in references(member)]
    if not isinstance(value, dict):
        return []
    here = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return here + [found for member in value.values() for found in references(member)]


async def test_answers_about_workflows_are_as_described(user: User) -> None:
    """Each operation on workflows answers as its schema says, in success and in failure."""
    root, one = "/api/v1/workflows", "/api/v1/workflows/{id}"
    workflow = await user.create()
    path = f"{root}/{workflow['id']}"
    for method, template, address, options in (
        ("POST", root, root, {"json": draft()}),
        ("POST", root, root, {"json": draft(name="")}),
        ("POST", root, root, {"data": b"x"}),
        ("GET", root, root, {}),
        ("GET", root, f"{root}?limit=0", {}),
        ("GET", one, path, {}),
        ("GET", one, f"{root}/x", {}),
        ("PUT", one, path, {"json": draft(), "headers": {"If-Match": '"1"'}}),
        ("PUT", one, path, {"json": draft(), "headers": {"If-Match": '"1"'}}),
        ("PUT", one, path, {"json": draft()}),
        ("PATCH", one, path, {"json": {"name": "n"}, "headers": {"If-Match": "*"}}),
        ("POST", f"{one}/activate", f"{path}/activate", {}),
        ("POST", f"{one}/deactivate", f"{path}/deactivate", {}),
        ("GET", f"{one}/revisions", f"{path}/revisions", {}),
        ("DELETE", one, path, {}),
    ):
        assert_as_described(await user.call(method, address, **options), method, template)


@pytest.mark.parametrize("path", ["/api/v1/event-types", "/api/v1/action-types", "/healthz", "/readyz"])
async def test_plain_answers_are_as_described(user: User, path: str) -> None:
    """So do those without parameters."""
    assert_as_described(await user.call("GET", path), "GET", path)


async def test_answers_about_executions_are_as_described(user: User, log: Log) -> None:
    """So do those on executions, the detail with verdicts and results in it."""
    row = await log.add(await user.create(), verdicts=[{"met": True, "path": "a"}])
    root = "/api/v1/executions"
    assert_as_described(await user.call("GET", root), "GET", root)
    assert_as_described(await user.call("GET", f"{root}?status=x"), "GET", root)
    assert_as_described(await user.call("GET", f"{root}/{row['id']}"), "GET", f"{root}/{{id}}")


async def test_the_answer_to_events_is_as_described(api: Api, user: User) -> None:
    """Accepted, refused, not allowed, and not confirmed."""
    sender = api.user("user", "events:write")
    path = "/api/v1/events"
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "order.paid"}
    assert_as_described(await sender.call("POST", path, event), "POST", path)
    assert_as_described(await sender.call("POST", path, {}), "POST", path)
    assert_as_described(await user.call("POST", path, event), "POST", path)
    api.sender.reachable = False
    assert_as_described(await sender.call("POST", path, event), "POST", path)


async def test_answers_about_runs_are_as_described(user: User, log: Log) -> None:
    """Runs by hand, dry runs and retries answer as their schemas say, in success and in failure."""
    workflow = await user.create()
    one, path = "/api/v1/workflows/{id}", f"/api/v1/workflows/{workflow['id']}"
    failed = await log.add(workflow, status="failed")
    retry = f"/api/v1/executions/{failed['id']}/retry"
    for method, template, address, options in (
        ("POST", f"{one}/execute", f"{path}/execute", {"json": {}}),
        ("POST", f"{one}/test", f"{path}/test", {"json": {"event": {"data": {"order": {"total": 900}}}}}),
        ("POST", "/api/v1/workflows/test", "/api/v1/workflows/test", {"json": {"workflow": draft()}}),
        ("POST", "/api/v1/workflows/test", "/api/v1/workflows/test", {"json": {"workflow": {}}}),
        ("POST", "/api/v1/executions/{id}/retry", retry, {}),
        ("POST", f"{one}/activate", f"{path}/activate", {}),
        ("POST", f"{one}/execute", f"{path}/execute", {"json": {}}),
        ("POST", "/api/v1/executions/{id}/retry", retry, {}),
        ("POST", "/api/v1/executions/{id}/retry", retry, {}),
    ):
        assert_as_described(await user.call(method, address, **options), method, template)


async def test_answers_about_templates_are_as_described(user: User) -> None:
    """Each operation on templates answers as its schema says, in success and in failure."""
    root, one = "/api/v1/templates", "/api/v1/templates/{id}"
    template = (await user.call("POST", root, draft(category="sales"))).json
    path, match = f"{root}/{template['id']}", {"headers": {"If-Match": '"1"'}}
    for method, described_at, address, options in (
        ("POST", root, root, {"json": draft(is_public=True)}),
        ("POST", root, root, {"json": draft(category="No!")}),
        ("GET", root, f"{root}?mine=true", {}),
        ("GET", one, path, {}),
        ("POST", f"{one}/apply", f"{path}/apply", {"json": {"name": "Mine"}}),
        ("POST", f"{one}/apply", f"{path}/apply", {"json": {"actions": []}}),
        ("PATCH", one, path, {"json": {"is_public": True}, **match}),
        ("PUT", one, path, {"json": draft(), **match}),
        ("DELETE", one, path, {}),
        ("DELETE", one, path, {}),
    ):
        assert_as_described(await user.call(method, address, **options), method, described_at)


async def test_answers_of_the_reference_systems_are_as_described(user: User) -> None:
    """Every operation of the CRM, Sales and Affiliates answers as its schema says, in success and in failure."""
    tried, ids = set(), {"customer": f"c-{uuid4()}", "order": f"o-{uuid4()}", "conversation": f"v-{uuid4()}"}
    ids |= {"partner": f"p-{uuid4()}", "tag": "VIP", "id": ""}
    late = {"customer_id": ids["customer"], "title": "Call", "starts_at": "2026-03-01T10:00:00Z"}
    order = {"id": ids["order"], "customer_id": ids["customer"], "total": 5, "affiliate_id": ids["partner"]}
    crm, sales, affiliates = "/api/v1/crm", "/api/v1/sales/orders", "/api/v1/affiliates"
    customer, talk, commissions = f"{crm}/customers/{{customer}}", f"{crm}/conversations", f"{affiliates}/commissions"
    for method, path, body in (
        ("POST", f"{crm}/customers", {"id": ids["customer"], "name": "Ada"}),
        ("POST", f"{crm}/customers", {"id": ids["customer"]}),
        ("GET", f"{crm}/customers", None),
        ("GET", customer, None),
        ("PATCH", customer, {"name": None, "plan": "gold"}),
        ("PUT", f"{customer}/tags/{{tag}}", None),
        ("DELETE", f"{customer}/tags/{{tag}}", None),
        ("POST", f"{customer}/notes", {"text": "tea"}),
        ("GET", f"{customer}/notes", None),
        ("POST", f"{crm}/tasks", {"title": "Call"}),
        ("GET", f"{crm}/tasks/{{id}}", None),
        ("POST", f"{crm}/tasks/{{id}}/done", None),
        ("GET", f"{crm}/tasks", None),
        ("POST", f"{crm}/appointments", late),
        ("GET", f"{crm}/appointments/{{id}}", None),
        ("POST", f"{crm}/appointments/{{id}}/miss", None),
        ("POST", f"{crm}/appointments/{{id}}/complete", None),
        ("GET", f"{crm}/appointments", None),
        ("POST", talk, {"id": ids["conversation"], "customer_id": ids["customer"]}),
        ("GET", f"{talk}/{{conversation}}", None),
        ("PUT", f"{talk}/{{conversation}}/assignee", {"assignee": "sam"}),
        ("POST", f"{talk}/{{conversation}}/messages", {"text": "hello"}),
        ("GET", f"{talk}/{{conversation}}/messages", None),
        ("POST", f"{talk}/{{conversation}}/resolve", None),
        ("GET", talk, None),
        ("POST", sales, order),
        ("GET", f"{sales}/{{order}}", None),
        ("POST", f"{sales}/{{order}}/pay", None),
        ("POST", f"{sales}/{{order}}/deliver", None),
        ("POST", f"{sales}/{{order}}/cancel", None),
        ("GET", sales, None),
        ("PUT", f"{affiliates}/partners/{{partner}}", {"rate": 5}),
        ("GET", f"{affiliates}/partners", None),
        ("POST", commissions, {"order_id": ids["order"]}),
        ("GET", f"{commissions}/{{id}}", None),
        ("POST", f"{commissions}/{{id}}/pay", None),
        ("GET", commissions, None),
        ("DELETE", customer, None),
        ("GET", customer, None),
    ):
        answer = await user.call(method, path.format_map(ids), body)
        assert_as_described(answer, method, path)
        assert answer.status < 500
        tried.add((method, path))
        if answer.status == 201 and "id" in answer.json:
            ids["id"] = answer.json["id"]
    described_ones = {
        (method.upper(), path)
        for path, methods in DOCUMENT["paths"].items()
        for method in methods
        if path.startswith((crm, sales, affiliates))
    }
    assert tried == described_ones


async def test_answers_for_operators_are_as_described(admin: User, log: Log) -> None:
    """The queue and dead letters answer as their schemas say, in success and in failure."""
    root, one = "/api/v1/dead-letters", "/api/v1/dead-letters/{number}"
    number = await letter(log, headers=[("a", b"1"), ("b", None)])
    for method, described_at, address in (
        ("GET", "/api/v1/queue", "/api/v1/queue"),
        ("GET", root, root),
        ("GET", root, f"{root}?state=lost"),
        ("GET", one, f"{root}/{number}"),
        ("POST", f"{one}/replay", f"{root}/{number}/replay"),
        ("POST", f"{one}/replay", f"{root}/{number}/replay"),
        ("DELETE", one, f"{root}/{await letter(log)}"),
        ("GET", one, f"{root}/{number}0000"),
    ):
        assert_as_described(await admin.call(method, address), method, described_at)


async def test_answers_about_secrets_are_as_described(admin: User) -> None:
    """Each operation on secrets answers as its schema says, in success and in failure."""
    root, one = "/api/v1/secrets", "/api/v1/secrets/{name}"
    for method, described_at, address, body in (
        ("PUT", one, f"{root}/DESCRIBED", {"value": "long enough"}),
        ("PUT", one, f"{root}/DESCRIBED", {"value": "short"}),
        ("GET", root, root, None),
        ("DELETE", one, f"{root}/DESCRIBED", None),
        ("DELETE", one, f"{root}/DESCRIBED", None),
    ):
        assert_as_described(await admin.call(method, address, body), method, described_at)


async def test_every_sample_event_can_be_posted(api: Api) -> None:
    """What ``event-types`` shows is accepted as it is, on the topic it names; only Headrace makes ``temporal.*``."""
    user = api.user("user", "events:write")
    listed = (await user.call("GET", "/api/v1/event-types")).json["items"]
    types = [shown for shown in listed if shown["known"]]
    assert len(types) == 21
    ours = [shown for shown in types if shown["type"].startswith("temporal.")]
    assert {shown["topic"] for shown in ours} == {"t.internal-events"}
    for shown in types:
        answer = await user.call("POST", "/api/v1/events", shown["sample"])
        assert answer.status == (400 if shown in ours else 202), (shown["type"], answer.json)
    assert [record.topic for record in api.sender.records] == [shown["topic"] for shown in types if shown not in ours]


async def test_every_action_type_has_its_schema(user: User) -> None:
    """Each registered type is listed with a valid JSON Schema, and says what it does."""
    types = (await user.call("GET", "/api/v1/action-types")).json["items"]
    assert {"webhook", "send_email", "apply_tag", "create_note", "stop_workflow"} <= {t["type"] for t in types}
    for shown in types:
        Draft202012Validator.check_schema(shown["config_schema"])
        assert shown["description"]


_OPEN_ID = ("beginOpenId", "endOpenId")


async def test_public_operations_are_few() -> None:
    """Only health, metrics, the document, and what people sign in with need no token."""
    public = {operation.name for operation in OPERATIONS if operation.access == "public"}
    assert public == {"healthz", "readyz", "metrics", "openapi", "docs", "signIn", "signInByLink", *_OPEN_ID}


async def test_every_other_operation_asks_for_a_token(api: Api) -> None:
    """Each operation that is not public answers 401 without a token, whatever it is sent."""
    assert STATE in api.app
    for operation in OPERATIONS:
        if operation.access == "public":
            continue
        named = {"id": "00000000-0000-0000-0000-000000000001", "number": "1", "name": "A"}
        path = operation.path.format_map(defaultdict(lambda: "x", named))
        async with api.client.request(operation.method, path) as response:
            assert response.status == 401, operation.name
