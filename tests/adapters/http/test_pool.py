"""Connections that nobody uses: how many are kept, and for how long."""

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest

from app.adapters.http.address_guard import guarded_socket
from app.adapters.http.connection import Answer, Connection, ServerDisconnectedError
from app.adapters.http.dialing import Dialer
from app.adapters.http.names import Names, system_resolve
from app.adapters.http.pool import MOST_IDLE, Pool
from app.adapters.http.wire import Origin
from tests.support.deadlines import scaled
from tests.support.lines import OK, Line, Lines, lines
from tests.support.waiting import eventually, in_time

LONG = 3600.0


def pool_of(keep_s: float) -> Pool:
    """A pool whose connections may be to loopback."""
    make_socket = guarded_socket(allow_private=True)
    return Pool(Dialer(Names(system_resolve), make_socket, ssl.create_default_context()), keep_s)


async def serve(line: Line) -> None:
    """Answer everything, and note when the client has hung up."""
    while await line.request():
        await line.says(OK)


@pytest.fixture
async def served() -> AsyncIterator[Lines]:
    """A server that answers."""
    async with lines(serve, backlog=1024) as server:
        yield server


def origin_of(served: Lines) -> Origin:
    """Where it is."""
    return Origin("http", "127.0.0.1", served.port)


async def used(pool: Pool, origin: Origin) -> Connection:
    """A connection that has served a request."""
    connection = await pool.fresh(origin)
    await asked(connection)
    return connection


async def asked(connection: Connection) -> Answer:
    """What is answered over a connection."""
    until = asyncio.get_running_loop().time() + scaled(60)
    return await connection.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", until=until, limit=10, bodiless=False)


async def test_a_connection_is_kept_for_the_next(served: Lines) -> None:
    """Of its own origin, and of one at a time; the one that was used last comes first."""
    pool, origin = pool_of(LONG), origin_of(served)
    first, second = await used(pool, origin), await used(pool, origin)
    pool.give_back(origin, first)
    pool.give_back(origin, second)
    assert pool.kept(origin._replace(scheme="https")) is None
    assert pool.kept(origin._replace(host="localhost")) is None
    assert [pool.kept(origin) for _ in range(3)] == [second, first, None]
    pool.close()
    await eventually(lambda: served.over == 2)


async def test_one_that_was_idle_for_long_is_not_used(served: Lines) -> None:
    """Its server may hang up at any moment."""
    pool, origin = pool_of(LONG), origin_of(served)
    connection = await used(pool, origin)
    pool.give_back(origin, connection)
    connection.idle_since -= LONG + 1
    assert pool.kept(origin) is None
    await eventually(lambda: served.over == 1)
    pool.close()


async def test_one_that_nobody_uses_is_hung_up_on(served: Lines) -> None:
    """Without anybody asking for one."""
    pool, origin = pool_of(0.05), origin_of(served)
    for _ in range(2):
        pool.give_back(origin, await used(pool, origin))
        await eventually(lambda: served.over == served.connections)
    pool.close()


async def test_one_that_was_used_lately_is_hung_up_on_later(served: Lines) -> None:
    """When its own time is over, though nobody has used another one meanwhile."""
    pool, origin = pool_of(0.05), origin_of(served)
    old, young = await used(pool, origin), await used(pool, origin)
    pool.give_back(origin, old)
    pool.give_back(origin, young)
    young.idle_since += LONG
    await eventually(lambda: served.over == 1)
    assert (old.is_open, young.is_open) == (False, True)
    young.idle_since -= 2 * LONG
    await eventually(lambda: served.over == 2)
    pool.close()


async def test_what_comes_unasked_ends_a_kept_connection() -> None:
    """It would be taken for the answer to the next request."""
    kept = asyncio.Event()

    async def part(line: Line) -> None:
        await line.answers()
        await kept.wait()
        await line.says(OK)
        await line.ended()

    async with lines(part) as served:
        pool, origin = pool_of(LONG), origin_of(served)
        pool.give_back(origin, await used(pool, origin))
        kept.set()
        await eventually(lambda: served.over == 1)
        assert pool.kept(origin) is None
        pool.close()


async def test_one_that_ends_before_it_is_asked_answers_nobody() -> None:
    """Who asks then is told so at once, and not when the time is up."""

    async def part(_line: Line) -> None:
        """Hang up."""

    async with lines(part) as served:
        pool, origin = pool_of(LONG), origin_of(served)
        connection = await pool.fresh(origin)
        await eventually(lambda: not connection.is_open)
        with pytest.raises(ServerDisconnectedError):
            await in_time(asked(connection), 5, what="to be told")
        pool.close()


async def test_so_many_are_kept_and_no_more(served: Lines) -> None:
    """Whoever sends to a thousand hosts once must not run out of files."""
    pool, origin = pool_of(LONG), origin_of(served)
    connections = [await used(pool, origin) for _ in range(MOST_IDLE + 2)]
    for connection in connections:
        pool.give_back(origin, connection)
    await eventually(lambda: served.over == 2)
    assert pool.kept(origin) is connections[MOST_IDLE - 1]
    pool.close()
    await eventually(lambda: served.over == MOST_IDLE + 2)
