"""Whatever goes wrong is a problem document that helps the caller and gives nothing of ours away."""

import logging
from dataclasses import replace
from typing import Any

import orjson
import psycopg
import pytest
from aiohttp.test_utils import TestClient, TestServer

from app.adapters.postgres.api_engine import ApiDatabase
from app.admin.routes import build_app
from app.admin.state import STATE
from app.processes.admin_services import assemble
from app.processes.blotting import Blotter
from app.processes.log_lines import Line
from app.settings import Settings
from tests.admin.conftest import Answer, Api, User, draft
from tests.support.depths import MemoryDepths


def assert_problem(answer: Answer, status: int) -> None:
    """The answer is a complete problem document of this status."""
    assert answer.status == status, answer
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json["status"] == status
    assert answer.json["title"]
    assert answer.json["detail"]
    assert answer.json["instance"] == f"urn:uuid:{answer.headers['X-Request-Id']}"


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/v1/nothing", "/api/v2/workflows", "/api/v1/workflows/", "/%00", "/api"]
)
async def test_an_unknown_path_is_404(user: User, path: str) -> None:
    """Nothing there: 404, and where to look."""
    answer = await user.call("GET", path)
    assert_problem(answer, 404)
    assert "/openapi.json" in answer.json["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/workflows", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("PUT", "/api/v1/events", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("PATCH", "/healthz", {"GET", "HEAD", "OPTIONS"}),
        ("GET", "/api/v1/workflows/test", {"OPTIONS", "POST"}),
        ("DELETE", "/api/v1/executions/waiting", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/api/v1/session/oidc", {"GET", "OPTIONS"}),
        ("TRACE", "/api/v1/workflows/x", {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "PUT"}),
    ],
)
async def test_another_method_is_405(user: User, method: str, path: str, allowed: set[str]) -> None:
    """405 names the methods there are: those of this path, not of another that takes any id in its place."""
    answer = await user.call(method, path)
    assert_problem(answer, 405)
    assert set(answer.headers["Allow"].split(",")) == allowed


@pytest.mark.parametrize("body", [b"", b"{", b"[1,]", b'{"a": 1', b"\xff\xfe", b'{"name": NaN}', b"name=x"])
async def test_malformed_json_is_400(user: User, body: bytes) -> None:
    """What does not parse is the caller's mistake."""
    answer = await user.call("POST", "/api/v1/workflows", data=body, headers={"Content-Type": "application/json"})
    assert_problem(answer, 400)
    assert ("not UTF-8" if body == b"\xff\xfe" else "not JSON") in answer.json["detail"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_another_content_type_is_415(user: User, content_type: str) -> None:
    """JSON under another name, which a browser would send without asking first, is not read."""
    answer = await user.call("POST", "/api/v1/workflows", data=b"{}", headers={"Content-Type": content_type})
    assert_problem(answer, 415)


async def test_a_document_that_is_too_large_is_413(user: User) -> None:
    """A workflow of over 512 KiB is not even looked at."""
    answer = await user.call("POST", "/api/v1/workflows", draft(description="x" * 600_000))
    assert_problem(answer, 413)


async def test_each_own_error_is_a_problem(user: User) -> None:
    """400, 404, 412 and 428 are complete problem documents too."""
    workflow = await user.create()
    path = f"/api/v1/workflows/{workflow['id']}"
    assert_problem(await user.call("POST", "/api/v1/workflows", draft(name="")), 400)
    assert_problem(await user.call("GET", "/api/v1/workflows/nothing"), 404)
    assert_problem(await user.call("PUT", path, draft(), headers={"If-Match": '"9"'}), 412)
    assert_problem(await user.call("PUT", path, draft()), 428)
    assert_problem(await User(user.client, "x").call("GET", path), 401)


async def test_our_own_mistake_is_500_without_our_insides(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """An error nobody thought of: the caller gets a request id, the log under that id the traceback."""

    class Broken:
        async def get(self, *_: Any) -> Any:
            raise RuntimeError("the password is swordfish")

    broken: Any = Broken()
    state = replace(api.app[STATE], workflows=broken)
    async with TestClient(TestServer(build_app(state))) as client:
        with caplog.at_level(logging.ERROR):
            answer = await User(client, api.user().token).call(
                "GET", "/api/v1/workflows/00000000-0000-0000-0000-000000000001"
            )
    assert_problem(answer, 500)
    assert "swordfish" not in str(answer.json)
    (line,) = request_lines(caplog)
    assert line.items() >= {"level": "error", "status": 500, "request_id": answer.headers["X-Request-Id"]}.items()
    assert line["error"]["message"] == "the password is swordfish"


async def test_a_request_is_one_line_with_what_is_looked_for(
    user: User, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """Method, route as a pattern, path, status, time, id and user; of probes there is none while we live."""
    path = "/api/v1/workflows/00000000-0000-0000-0000-000000000001"
    with caplog.at_level(logging.INFO):
        answer = await user.call("GET", path)
        await api.client.get("/healthz")
    (line,) = request_lines(caplog)
    assert 0 < line["ms"] < 60_000
    assert (
        line.items()
        >= {
            "message": "request",
            "level": "info",
            "method": "GET",
            "route": "/api/v1/workflows/{id}",
            "path": path,
            "status": 404,
            "request_id": answer.headers["X-Request-Id"],
            "user": str(user.id),
        }.items()
    )


def request_lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The lines of requests, as JSON in a container."""
    line = Line("admin", Blotter())
    return [orjson.loads(line.format(one)) for one in caplog.records if one.getMessage() == "request"]


async def test_a_refusal_is_logged_without_what_was_sent(user: User, caplog: pytest.LogCaptureFixture) -> None:
    """The log says which fields were refused, under the request id; a path cannot forge a line of it."""
    with caplog.at_level(logging.INFO):
        answer = await user.call("POST", "/api/v1/workflows", draft(priority=77, description=["swordfish"]))
        await user.call("GET", "/api/v1/nothing%0Aforged")
    refused, other = request_lines(caplog)
    assert refused["request_id"] == answer.headers["X-Request-Id"]
    assert "description: " in refused["refused"]
    assert "swordfish" not in str(refused)
    assert other["path"] == "/api/v1/nothing%0Aforged"
    assert other["route"] == "none"


async def test_a_database_that_breaks_off_is_503_and_comes_back(user: User, api_database: str) -> None:
    """Every connection is cut: the next calls are 503 at worst, and then all is well without a restart."""
    workflow = await user.create()
    path = f"/api/v1/workflows/{workflow['id']}"
    async with await psycopg.AsyncConnection.connect(api_database, autocommit=True) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'headrace admin'"
            " AND datname = current_database()"
        )
    answers = [await user.call("GET", path) for _ in range(6)]
    assert {answer.status for answer in answers} <= {200, 503}
    assert answers[-1].status == 200


async def test_a_query_that_postgres_cancels_is_503(settings: Settings, api: Api, api_database: str) -> None:
    """A table somebody holds: the call ends as 503 when the statement's time is up, and the pool is not drained."""
    pool = ApiDatabase(settings, statement_within_ms=200)
    async with TestClient(TestServer(build_app(assemble(settings, pool, api.sender, MemoryDepths())))) as client:
        user = User(client, api.user().token)
        async with await psycopg.AsyncConnection.connect(api_database) as connection:
            await connection.execute("LOCK TABLE automations IN ACCESS EXCLUSIVE MODE")
            for _ in range(settings.pool_size + 1):
                answer = await user.call("GET", "/api/v1/workflows")
                assert_problem(answer, 503)
                assert answer.headers["Retry-After"]
        assert (await user.call("GET", "/api/v1/workflows")).status == 200
    await pool.close()


async def test_every_answer_is_hardened(user: User) -> None:
    """Security headers are on successes, errors and unknown paths; the server does not say what it is made of."""
    for path in ("/api/v1/workflows", "/api/v1/nothing", "/healthz", "/openapi.json", "/api/v1/workflows?limit=0"):
        headers = (await user.call("GET", path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert headers["Server"] == "headrace"
        assert headers["X-Request-Id"]
