"""The worker's page as a server: slow callers neither hold it nor keep its threads."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from app.metrics_page import MOST_CONNECTIONS, serve_page
from tests.support.raw_http import raw_client

ASKED = b"GET /readyz HTTP/1.0\r\n\r\n"


@pytest.fixture
def page() -> Iterator[str]:
    """A page that gives a connection half a second."""
    server = serve_page(0, within=0.5)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("begun", [b"", b"GET /rea", b"GET /readyz HTTP/1.0\r\nX: "])
async def test_a_caller_that_says_no_more_is_cut_off(page: str, begun: bytes) -> None:
    """Whatever it has said so far."""
    async with raw_client(page) as client:
        await client.send(begun)
        assert not (await client.rest()).startswith(b"HTTP/1.0 200")


async def test_as_many_are_served_at_once_as_there_may_be_threads(page: str) -> None:
    """The next one is cut off at once; when the slow ones are gone, the page is served again."""
    async with AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(raw_client(page)) for _ in range(MOST_CONNECTIONS + 5)]
        await asyncio.gather(*(client.rest() for client in slow))
    async with raw_client(page) as client:
        await client.send(ASKED)
        assert (await client.rest()).startswith(b"HTTP/1.0 200")
