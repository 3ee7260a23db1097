"""Health: alive is not ready, and ready says what is missing."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from app.domain.errors import UnreachableError
from tests.admin.conftest import Api, User


@pytest.fixture(autouse=True)
async def _nothing_waits(api_database: str) -> None:
    """No relay runs here: what other tests have written would look like one that lags."""
    async with await psycopg.AsyncConnection.connect(api_database, autocommit=True) as connection:
        await connection.execute("DELETE FROM outbox")


async def test_a_process_that_serves_is_healthy(api: Api) -> None:
    """Alive whatever Kafka does, without a token."""
    api.sender.reachable = False
    async with api.client.get("/healthz") as response:
        assert (response.status, (await response.json())["status"]) == (200, "ok")


async def test_ready_with_everything_there(user: User, api_database: str) -> None:
    """Kafka, Postgres, relay and the process's own background are each reported."""
    async with await psycopg.AsyncConnection.connect(api_database, autocommit=True) as connection:
        await connection.execute("DELETE FROM outbox")  # what other tests have left, which nobody relays here
    answer = await user.call("GET", "/readyz")
    assert answer.status == 200
    assert {name: check["ok"] for name, check in answer.json["checks"].items()} == {
        "kafka": True,
        "postgres": True,
        "relay": True,
        "background": True,
    }


async def test_not_ready_without_kafka(api: Api, user: User) -> None:
    """Kafka is down: 503, and it says so; the rest is still reported."""
    api.sender.reachable = False
    answer = await user.call("GET", "/readyz")
    assert (answer.status, answer.json["status"]) == (503, "failing")
    assert [name for name, check in answer.json["checks"].items() if not check["ok"]] == ["kafka"]


async def test_not_ready_while_something_fails_in_the_background(api: Api, user: User) -> None:
    """The task is named, what an error says of anybody is not; a minute after the last failure it is ready again."""
    api.failures.note("janitor", UnreachableError("https://theirs.example does not answer"))
    answer = await user.call("GET", "/readyz")
    assert answer.status == 503
    assert answer.json["checks"]["background"] == {"ok": False, "detail": "janitor failed; the log says how"}
    api.now[0] += 61
    assert (await user.call("GET", "/readyz")).status == 200


async def test_not_ready_while_the_relay_lags(user: User, api_database: str) -> None:
    """A change that nobody relays for a minute means that matchers run on an old table."""
    async with await psycopg.AsyncConnection.connect(api_database, autocommit=True) as connection:
        written = datetime.now(UTC) - timedelta(minutes=1)
        await connection.execute("INSERT INTO outbox (topic, key, created_at) VALUES ('t', 'k', %s)", (written,))
        answer = await user.call("GET", "/readyz")
        assert answer.status == 503
        assert "relay" in answer.json["checks"]["relay"]["detail"]
        await connection.execute("DELETE FROM outbox")
    assert (await user.call("GET", "/readyz")).status == 200


async def test_ready_beside_what_is_set_aside(user: User, api_database: str) -> None:
    """A record that Kafka does not take holds nothing up, however long it stays: the queue shows it, readiness not."""
    async with await psycopg.AsyncConnection.connect(api_database, autocommit=True) as connection:
        written = datetime.now(UTC) - timedelta(days=1)
        row = "INSERT INTO outbox (topic, key, created_at, set_aside, error) VALUES ('t', 'k', %s, 'refused', 'no')"
        await connection.execute(row.encode(), (written,))
        answer = await user.call("GET", "/readyz")
        await connection.execute("DELETE FROM outbox")
    assert (answer.status, answer.json["checks"]["relay"]["ok"]) == (200, True)


async def test_metrics_name_operations_and_never_paths(user: User) -> None:
    """Labels are bounded: an operation's name and a status, no id of anything."""
    workflow = await user.create()
    await user.call("GET", f"/api/v1/workflows/{workflow['id']}")
    await user.call("GET", "/api/v1/nothing/at/all")
    answer = await user.call("GET", "/metrics")
    assert answer.status == 200
    assert 'headrace_http_requests_total{operation="getWorkflow",status="200"}' in answer.json
    assert 'headrace_http_requests_total{operation="none",status="404"}' in answer.json
    assert workflow["id"] not in answer.json
    assert "nothing" not in answer.json
