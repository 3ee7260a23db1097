"""HEAD and OPTIONS, on every path."""

import pytest

from app.admin.methods import by_path
from app.admin.routes import OPERATIONS
from tests.admin.conftest import Api, User

PATHS = by_path(OPERATIONS)


@pytest.mark.parametrize(
    "path", ["/healthz", "/docs", "/openapi.json", "/api/v1/workflows", "/api/v1/workflows/{id}", "/api/v1/queue"]
)
async def test_head_is_get_without_the_body(user: User, path: str) -> None:
    """The same status and headers, Content-Length among them (RFC 9110, 9.3.2)."""
    path = path.replace("{id}", (await user.create())["id"])
    got, head = await user.call("GET", path), await user.call("HEAD", path)
    assert (got.status, head.status, head.json or None) == (200, 200, None)
    for name in ("Content-Type", "Content-Length", "ETag", "Content-Security-Policy", "Cache-Control"):
        assert head.headers.get(name) == got.headers.get(name), name


@pytest.mark.parametrize(
    "path", ["executions/stream", "queue/stream", "executions/export", "executions/export?format=jsonl"]
)
async def test_head_of_a_stream_ends_at_once(user: User, path: str) -> None:
    """Its headers are those of the stream; the connection is not kept for what is not asked for, and serves on."""
    answer = await user.call("HEAD", f"/api/v1/{path}")
    assert answer.status == 200
    assert answer.headers["Content-Type"].partition(";")[0] in {
        "text/event-stream",
        "text/csv",
        "application/jsonl",
    }
    assert (await user.call("GET", "/healthz")).status == 200


async def test_head_asks_for_the_same_rights_and_things(api: Api, user: User) -> None:
    """401 for nobody, 403 for who may not, 404 for another's, 400 for a wrong query: never a way around."""
    workflow = await user.create()
    for caller, path, status in (
        (User(user.client, "x"), "workflows", 401),
        (user, "users", 403),
        (api.user(), f"workflows/{workflow['id']}", 404),
        (user, "executions/stream?seconds=x", 400),
    ):
        answer = await caller.call("HEAD", f"/api/v1/{path}")
        assert answer.status == (await caller.call("GET", f"/api/v1/{path}")).status == status


async def test_head_uses_up_no_sign_in(api: Api) -> None:
    """What is done on the way of a redirect is done by GET alone."""
    for path in ("/api/v1/session/oidc", "/api/v1/session/oidc/callback"):
        async with api.client.head(path) as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "GET,OPTIONS")


@pytest.mark.parametrize("path", PATHS)
async def test_options_names_the_methods(api: Api, path: str) -> None:
    """To anybody, whatever is there; and lets no other site's page in."""
    async with api.client.options(path.replace("{", "").replace("}", "")) as answer:
        assert (answer.status, await answer.read()) == (204, b"")
        assert set(answer.headers["Allow"].split(", ")) == {*PATHS[path], "OPTIONS"}
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
