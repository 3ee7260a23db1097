"""A way for TCP between a client and a server that delays, falls silent or is cut, as networks do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from app.embedded.free_ports import HOST
from app.services.operations.background import end_all


class Wire:
    """Passes bytes on in order, as it is told to at the moment.

    Args:
        host: Where the server is.
        port: Its port.

    Attributes:
        port: Where this listens, on 127.0.0.1.
        delay_s: How much later what a client sends arrives; answers come back at once.
        carried: How many bytes have passed, both ways.
    """

    def __init__(self, host: str, port: int) -> None:
        self._there = (host, port)
        self._speaks = asyncio.Event()
        self._speaks.set()
        self._whole = True
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.delay_s = 0.0
        self.carried = 0

    def fall_silent(self) -> None:
        """Pass no byte on from now, of any connection, new ones among them; what is sent meanwhile is kept."""
        self._speaks.clear()

    def speak(self) -> None:
        """Go on, with what was kept first."""
        self._speaks.set()

    async def cut(self) -> None:
        """End every connection; new ones end as soon as they are made, until it is mended."""
        self._whole = False
        await end_all(self._tasks)

    def mend(self) -> None:
        """Take connections again."""
        self._whole = True

    async def taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            if not self._whole:
                raise ConnectionRefusedError
            there, to_there = await asyncio.open_connection(*self._there)
        except OSError:
            writer.transport.abort()
            return
        for one in (self._send(reader, to_there), self._pass(there, writer)):
            self._tasks.add(asyncio.create_task(one))
        self._tasks -= {task for task in self._tasks if task.done()}

    async def _send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what a client sends, each piece as much later as is to be; more may come meanwhile."""
        due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        clock = asyncio.get_running_loop().time

        async def deliver() -> None:
            try:
                with suppress(ConnectionError):
                    while (piece := await due.get())[1]:
                        await asyncio.sleep(piece[0] - clock())
                        await self._write(writer, piece[1])
            finally:
                writer.close()

        late = asyncio.create_task(deliver())
        self._tasks.add(late)
        some = b"..."
        while some:
            some = await _read(reader)
            due.put_nowait((clock() + self.delay_s, some))
        await late

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError):
                while some := await _read(reader):
                    await self._write(writer, some)
        finally:
            writer.close()

    async def _write(self, writer: asyncio.StreamWriter, some: bytes) -> None:
        await self._speaks.wait()
        self.carried += len(some)
        writer.write(some)
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Return what has come; nothing at the end, however that came."""
    try:
        return await reader.read(65536)
    except ConnectionError:
        return b""


@asynccontextmanager
async def laid(wire: Wire, port: int = 0) -> AsyncIterator[Wire]:
    """Listen for the block; port 0 picks a free one."""
    server = await asyncio.start_server(wire.taken, HOST, port)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        await wire.cut()
        await server.wait_closed()
