"""The worker's page as a server: slow callers neither hold it nor keep its threads."""

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import pytest
from prometheus_client import CollectorRegistry

from app.processes.metrics_page import MOST_CONNECTIONS, serve_page
from app.services.operations.background import Failures
from tests.support.raw_http import raw_client
from tests.support.waiting import eventually

ASKED = b"GET /readyz HTTP/1.0\r\n\r\n"


@contextmanager
def serving(within: float, failures: Failures) -> Iterator[str]:
    """A page that gives a connection so many seconds, and knows these failures, not what other tests let fail."""
    server = serve_page(0, CollectorRegistry(), within=within, failing=failures.failing)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def failures() -> Failures:
    """What has failed in the process whose page it is."""
    return Failures()


@pytest.fixture
def page(failures: Failures) -> Iterator[str]:
    """One that gives it half a second."""
    with serving(0.5, failures) as url:
        yield url


@pytest.fixture
def patient_page(failures: Failures) -> Iterator[str]:
    """One that gives it longer than the test takes."""
    with serving(600, failures) as url:
        yield url


async def test_readiness_tells_what_failed_of_late(patient_page: str, failures: Failures) -> None:
    """503 and the task's name, where it was 200 before."""

    async def asked() -> tuple[int, bytes]:
        async with raw_client(patient_page) as client:
            await client.send(ASKED)
            head, _, body = (await client.rest()).partition(b"\r\n\r\n")
            return int(head.split(b" ", 2)[1]), body

    assert await asked() == (200, b'{"status":"ok","failing":{}}')
    failures.note("metrics-page-test", ValueError("said to nobody"))
    assert await asked() == (503, b'{"status":"failing","failing":{"metrics-page-test":"ValueError"}}')


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
