"""The worker's page as a server: slow callers neither hold it nor keep its threads."""

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import pytest

from app.metrics_page import MOST_CONNECTIONS, serve_page
from tests.support.raw_http import raw_client
from tests.support.waiting import eventually

ASKED = b"GET /readyz HTTP/1.0\r\n\r\n"


@contextmanager
def serving(within: float) -> Iterator[str]:
    """A page that gives a connection so many seconds."""
    server = serve_page(0, within=within)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page() -> Iterator[str]:
    """One that gives it half a second."""
    with serving(0.5) as url:
        yield url


@pytest.fixture
def patient_page() -> Iterator[str]:
    """One that gives it longer than the test takes."""
    with serving(600) as url:
        yield url


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
