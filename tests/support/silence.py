"""Something between a client and Postgres that falls silent: connections stay and are taken, and no byte passes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.services.operations.background import end_all


class Between:
    """Passes bytes on, until it is told to be silent.

    Args:
        url: Any libpq connection string.

    Attributes:
        url: The same, through this.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        target = conninfo_to_dict(url)
        self._host, self._port = str(target["host"]), int(target.get("port") or 5432)
        self._speaks = asyncio.Event()
        self._speaks.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""

    def fall_silent(self) -> None:
        """Pass no byte on from now, of any connection; what is sent meanwhile is kept."""
        self._speaks.clear()

    def speak(self) -> None:
        """Go on, with what was kept first."""
        self._speaks.set()

    def listens(self, port: int) -> None:
        """Note where it listens."""
        self.url = make_conninfo(self._url, host="127.0.0.1", port=port)

    async def taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        there, to_there = await asyncio.open_connection(self._host, self._port)
        for one in (self._pass(reader, to_there), self._pass(there, writer)):
            self._tasks.add(asyncio.create_task(one))

    async def end(self) -> None:
        """Cut every connection."""
        await end_all(self._tasks)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            try:
                while some := await reader.read(65536):
                    await self._speaks.wait()
                    writer.write(some)
                    await writer.drain()
            finally:
                writer.close()


@asynccontextmanager
async def between(url: str) -> AsyncIterator[Between]:
    """Stand between Postgres and who asks it by :attr:`Between.url`."""
    here = Between(url)
    server = await asyncio.start_server(here.taken, "127.0.0.1", 0)
    here.listens(server.sockets[0].getsockname()[1])
    try:
        yield here
    finally:
        server.close()
        await here.end()
        await server.wait_closed()
