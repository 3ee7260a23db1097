"""The way that faults are made on: it passes everything, and is late, silent or cut only when told so."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from app.embedded.free_ports import HOST
from tests.support.waiting import eventually, in_time
from tests.support.wires import Wire, laid

_SOON_S = 10


class Server:
    """Answers each line in capitals, and keeps what came with its moment."""

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, float]] = []

    async def taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        while line := await reader.readline():
            self.heard.append((line, asyncio.get_running_loop().time()))
            writer.write(line.upper())
        writer.close()


class Client:
    """One connection over the wire."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def say(self, line: bytes) -> None:
        """Send a line."""
        self._writer.write(line)

    async def hears(self) -> bytes:
        """Return the next line; nothing where the connection has ended."""
        try:
            return await in_time(self._reader.readline(), _SOON_S, what="a line")
        except ConnectionError:
            return b""


Connect = Callable[[Wire], Awaitable[Client]]


@pytest.fixture
def served() -> Server:
    """What the wire leads to."""
    return Server()


@pytest.fixture
async def wire(served: Server) -> AsyncIterator[Wire]:
    """A wire to the server."""
    server = await asyncio.start_server(served.taken, HOST, 0)
    async with laid(Wire(HOST, server.sockets[0].getsockname()[1])) as wire:
        yield wire
    server.close()


@pytest.fixture
async def connected() -> AsyncIterator[Connect]:
    """Connects over a wire; ends the connections afterwards."""
    writers = []

    async def connect(wire: Wire) -> Client:
        reader, writer = await asyncio.open_connection(HOST, wire.port)
        writers.append(writer)
        return Client(reader, writer)

    yield connect
    for writer in writers:
        writer.transport.abort()


async def test_a_wire_passes_both_ways(wire: Wire, connected: Connect) -> None:
    """Nothing is done to it."""
    client = await connected(wire)
    client.say(b"one\n")
    assert await client.hears() == b"ONE\n"
    assert wire.carried == len(b"one\nONE\n")


async def test_what_is_late_keeps_its_order_and_does_not_wait_for_an_answer(
    wire: Wire, served: Server, connected: Connect
) -> None:
    """Each piece comes as much later as was said; the second is on its way while the first is."""
    client, clock = await connected(wire), asyncio.get_running_loop().time
    wire.delay_s, began = 0.2, clock()
    client.say(b"one\n")
    wire.delay_s = 0.2
    client.say(b"two\n")
    assert [await client.hears(), await client.hears()] == [b"ONE\n", b"TWO\n"]
    assert [line for line, _ in served.heard] == [b"one\n", b"two\n"]
    assert served.heard[0][1] - began >= 0.19


async def test_silence_keeps_connections_and_what_is_sent(wire: Wire, served: Server, connected: Connect) -> None:
    """It arrives afterwards."""
    client = await connected(wire)
    wire.fall_silent()
    client.say(b"one\n")
    late = await connected(wire)
    late.say(b"two\n")
    with pytest.raises(AssertionError):
        await eventually(lambda: served.heard, within=0.1)
    wire.speak()
    assert {await client.hears(), await late.hears()} == {b"ONE\n", b"TWO\n"}


async def test_a_cut_wire_ends_every_connection_until_it_is_mended(
    wire: Wire, served: Server, connected: Connect
) -> None:
    """Old ones and new ones."""
    client = await connected(wire)
    client.say(b"one\n")
    assert await client.hears() == b"ONE\n"
    await wire.cut()
    assert await client.hears() == b""
    fresh = await connected(wire)
    assert await fresh.hears() == b""
    wire.mend()
    again = await connected(wire)
    again.say(b"two\n")
    assert await again.hears() == b"TWO\n"
    assert [line for line, _ in served.heard] == [b"one\n", b"two\n"]


async def test_a_server_that_is_away_ends_the_connection(connected: Connect) -> None:
    """The client hears of it at once."""
    async with laid(Wire(HOST, 1)) as wire:
        client = await connected(wire)
        assert await client.hears() == b""
