"""Connections: how many there may be, and how long each may take over headers, idling, and taking up an answer."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from ipaddress import IPv4Network

import pytest
from aiohttp import web

from app.admin.connections import Connections, begun
from app.admin.limits import ConnectionLimits
from app.admin.listening import listening
from tests.admin.conftest import Api
from tests.admin.guarded import HOST, served
from tests.support.raw_http import raw_client
from tests.support.waiting import eventually

QUICK = ConnectionLimits(headers_within=0.3, idle=0.3, answer_within=0.3)
ALIVE = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = ALIVE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize("begun", [b"G", b"GET /healthz HTTP/1.1\r\n", ALIVE[:-2], b"\r\n"])
async def test_headers_that_do_not_come_are_408(api: Api, begun: bytes) -> None:
    """However far they came: the caller hears why, as a problem document, and the connection is closed."""
    async with served(api, QUICK) as server, raw_client(server.url) as client:
        await client.send(begun)
        answer = await client.rest()
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\nContent-Type: application/problem+json\r\n")
        assert b"\r\nServer: headrace\r\n" in answer
        await eventually(lambda: not len(server.connections), what="it to be counted out")


async def test_headers_that_trickle_have_no_more_time(api: Api) -> None:
    """A byte now and then does not put the end off."""
    async with served(api, QUICK) as server, raw_client(server.url) as client:
        rest = asyncio.create_task(client.rest())
        await client.send(b"GET /healthz HTTP/1.1\r\nX: ")

        async def over() -> bool:
            await client.send(b"x")
            return rest.done()

        await eventually(over, what="the end")
        assert rest.result().startswith(b"HTTP/1.1 408 ")


async def test_a_connection_that_says_nothing_is_closed(api: Api) -> None:
    """Without a word, for it asked nothing; between two requests too."""
    async with served(api, QUICK) as server:
        async with raw_client(server.url) as client:
            assert await client.rest() == b""
        async with raw_client(server.url) as client:
            for _ in range(3):
                await client.send(ALIVE)
                assert (await client.answer())[0] == 200
            assert await client.rest() == b""


async def test_the_next_request_has_a_time_for_its_headers_too(api: Api) -> None:
    """From its first byte, not as long as a connection may idle."""
    async with served(api, replace(QUICK, idle=1000)) as server, raw_client(server.url) as client:
        await client.send(ALIVE)
        assert (await client.answer())[0] == 200
        await client.send(ALIVE[:10])
        assert (await client.rest()).startswith(b"HTTP/1.1 408 ")


async def test_a_request_that_takes_its_time_is_waited_for() -> None:
    """The times are those of the caller; while we work, none runs."""

    async def slow(request: web.Request) -> web.Response:
        with begun(request):
            await asyncio.sleep(2 * QUICK.idle)
        return web.Response(text="done")

    app = web.Application()
    app.router.add_get("/", slow)
    async with listening(app, Connections(QUICK), HOST, 0) as url, raw_client(url) as client:
        await client.send(ALIVE.replace(b"/healthz", b"/"))
        assert await client.answer() == (200, b"done")


async def test_an_answer_that_is_not_taken_up_is_given_up() -> None:
    """Who asks for much and reads nothing holds neither the connection nor the answer."""

    async def much(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * 50_000_000)

    app = web.Application()
    app.router.add_get("/", much)
    connections = Connections(QUICK)
    async with listening(app, connections, HOST, 0) as url, raw_client(url) as client:
        await client.send(ALIVE.replace(b"/healthz", b"/"))
        await eventually(lambda: len(connections) == 1, what="the connection")
        await eventually(lambda: not len(connections), what="it to be given up")


async def test_one_address_has_so_many_connections(api: Api) -> None:
    """The next one hears 503 with Retry-After; when one of the others has gone there is room again."""
    async with served(api, ConnectionLimits(most_each=3)) as server:
        async with AsyncExitStack() as stack:
            for _ in range(3):
                await stack.enter_async_context(raw_client(server.url))
            await eventually(lambda: len(server.connections) == 3, what="three connections")
            async with raw_client(server.url) as fourth:
                await fourth.send(LAST)
                answer = await fourth.rest()
                assert answer.startswith(b"HTTP/1.1 503 ")
                assert b"\r\nServer: headrace\r\n" in answer
                assert b"\r\nRetry-After: 5\r\n" in answer
                assert b"from this address" in answer
        await eventually(lambda: not len(server.connections), what="the others to go")
        async with raw_client(server.url) as again:
            await again.send(LAST)
            assert (await again.rest()).startswith(b"HTTP/1.1 200 ")
        assert server.connections.goodbyes in {0, 1}


async def test_a_trusted_proxy_has_as_many_as_there_are(api: Api) -> None:
    """All of its callers come from one address; the bound on all of them holds for it, too."""
    limits = ConnectionLimits(most=5, most_each=1)
    async with served(api, limits, proxies=[IPv4Network("127.0.0.0/8")]) as server, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw_client(server.url)) for _ in range(5)]
        await eventually(lambda: len(server.connections) == 5, what="all of them")
        for client in clients:
            await client.send(ALIVE)
            assert (await client.answer())[0] == 200
        async with raw_client(server.url) as sixth:
            assert b"in all" in await sixth.rest()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, *, same: bool) -> None:
    """Of IPv6 a whole network of 64 bits; an IPv4 address however it is written."""
    connections = Connections(ConnectionLimits(most_each=1))
    assert connections.enter(one) is None
    assert (connections.enter(other) == "address_full") is same
    connections.leave(one)
    assert connections.enter(one) is None
