"""The worker's page as a server: what it answers, whatever callers or the process itself do."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from http.client import HTTPConnection

import orjson
import pytest
from prometheus_client import CollectorRegistry, Gauge

from app.domain.errors import SettingsError
from app.processes.worker_page import MOST_CONNECTIONS, serve_page
from app.services.operations.background import Failures
from app.services.operations.health import DEAD_S, SILENT_S, Health
from tests.support.deadlines import scaled
from tests.support.raw_http import raw_client
from tests.support.waiting import eventually

REGISTRY = CollectorRegistry()
Gauge("headrace_test_page", "What the page shows", registry=REGISTRY)
ASKED = b"GET /readyz HTTP/1.0\r\n\r\n"


@contextmanager
def serving(within: float, health: Health, host: str = "127.0.0.1") -> Iterator[str]:
    """A page that gives a connection so many seconds."""
    server = serve_page(host, 0, health, REGISTRY, within=within)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def failures() -> Failures:
    """What has failed in the process whose page it is, not what other tests let fail."""
    return Failures()


@pytest.fixture
def health(failures: Failures) -> Health:
    """Its health."""
    return Health(failures)


@pytest.fixture
def page(health: Health) -> Iterator[str]:
    """One that gives it half a second."""
    with serving(0.5, health) as url:
        yield url


@pytest.fixture
def patient_page(health: Health) -> Iterator[str]:
    """One that gives it longer than the test takes."""
    with serving(600, health) as url:
        yield url


def ask(url: str, path: str, method: str = "GET") -> tuple[int, bytes]:
    """Ask a page."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=scaled(10))
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def readiness(url: str) -> tuple[int, dict[str, bool]]:
    """What /readyz says, by check."""
    status, body = ask(url, "/readyz")
    return status, {name: check["ok"] for name, check in orjson.loads(body)["checks"].items()}


def test_readiness_tells_what_failed_of_late(patient_page: str, failures: Failures) -> None:
    """503 and the task's name, where it was 200 before; what the error says is the log's alone."""
    assert readiness(patient_page) == (200, {"background": True})
    failures.note("page-test", ValueError("said to nobody"))
    status, body = ask(patient_page, "/readyz")
    assert (status, orjson.loads(body)) == (
        503,
        {"status": "failing", "checks": {"background": {"ok": False, "detail": "page-test failed; the log says how"}}},
    )


def test_it_serves_what_it_has_and_nothing_else(patient_page: str) -> None:
    """Health, readiness and metrics by GET; any other path is 404, any other method 405."""
    assert ask(patient_page, "/healthz") == (200, b'{"status":"ok"}')
    status, metrics = ask(patient_page, "/metrics")
    assert (status, b"headrace_test_page 0.0" in metrics) == (200, True)
    for path in ("/", "/metrics/", "/readyz/x", "/favicon.ico", "/metrics%2F"):
        assert ask(patient_page, path)[0] == 404, path
    for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
        assert ask(patient_page, "/metrics", method)[0] == 405, method


async def test_nothing_that_hangs_keeps_readiness_from_answering(patient_page: str, health: Health) -> None:
    """A probe that never answers is said to, and so is an event loop that is blocked: within two seconds each."""

    async def hanging() -> str:
        await asyncio.Event().wait()
        return "never"

    health.watch("kafka", hanging)
    await health.look(within=0.01)
    blocked, asked = threading.Event(), threading.Event()
    answers: list[tuple[int, dict[str, bool], float]] = []

    def outside() -> None:
        blocked.wait()
        started = time.monotonic()
        answers.append((*readiness(patient_page), time.monotonic() - started))
        asked.set()

    threading.Thread(target=outside, daemon=True).start()

    def block() -> None:
        blocked.set()
        asked.wait(scaled(10))

    asyncio.get_running_loop().call_soon(block)
    await asyncio.sleep(0)
    ((status, checks, took),) = answers
    assert (status, checks["kafka"], took < scaled(2)) == (503, False, True)


def test_a_loop_that_hangs_is_not_ready_and_one_that_hangs_for_good_not_healthy() -> None:
    """By the time that has passed since the last look."""
    now = [1000.0]
    health = Health(Failures(), lambda: now[0])
    with serving(600, health) as url:
        assert (readiness(url)[0], ask(url, "/healthz")[0]) == (200, 200)
        asyncio.run(health.look())
        now[0] += SILENT_S + 1
        assert (readiness(url), ask(url, "/healthz")[0]) == ((503, {"background": True, "event_loop": False}), 200)
        now[0] += DEAD_S
        assert ask(url, "/healthz")[0] == 503


def test_an_address_that_cannot_be_had_names_its_variable(health: Health) -> None:
    """A second worker on the same port, a host of somebody else, and one that there is not."""
    with serving(600, health) as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(
            SettingsError, match=rf"HEADRACE_METRICS_PORT: 127.0.0.1:{port} is in use, by another worker"
        ):
            serve_page("127.0.0.1", port, health, REGISTRY)
    with pytest.raises(SettingsError, match=r"HEADRACE_METRICS_HOST: cannot listen on 192.0.2.1:"):
        serve_page("192.0.2.1", 0, health, REGISTRY)
    with pytest.raises(SettingsError, match=r"HEADRACE_METRICS_HOST: nowhere\.invalid is no address"):
        serve_page("nowhere.invalid", 0, health, REGISTRY)


def test_it_listens_where_it_is_told_to(health: Health) -> None:
    """On every address, for probes and scrapers of other hosts; also on IPv6."""
    with serving(600, health, "0.0.0.0") as url:  # noqa: S104 - what is tested
        assert ask(url, "/healthz")[0] == 200
    if socket.has_ipv6:
        server = serve_page("::1", 0, health, REGISTRY)
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("begun", [b"", b"GET /rea", b"GET /readyz HTTP/1.0\r\nX: "])
async def test_a_caller_that_says_no_more_is_cut_off(page: str, begun: bytes) -> None:
    """Whatever it has said so far."""
    async with raw_client(page) as client:
        await client.send(begun)
        assert not (await client.rest()).startswith(b"HTTP/1.0 200")


async def test_as_many_are_served_at_once_as_there_may_be_threads(patient_page: str) -> None:
    """The next one is cut off at once, whatever it asks; when the slow ones are gone, the page is served again."""

    async def answer() -> bytes:
        async with raw_client(patient_page) as client:
            await client.send(ASKED)
            return await client.rest()

    async with AsyncExitStack() as stack:
        for _ in range(MOST_CONNECTIONS):
            await stack.enter_async_context(raw_client(patient_page))
        assert await answer() == b""

    async def served() -> bool:
        return (await answer()).startswith(b"HTTP/1.0 200")

    await eventually(served, what="the page to be served again")
