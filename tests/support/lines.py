"""A server whose every connection is played by the test: for what happens between requests."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.support.raw_http import read_request
from tests.support.waiting import in_time

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(slots=True)
class Line:
    """One connection, seen from the server.

    Attributes:
        number: Which it is, from 0.
    """

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    served: "Lines"

    async def request(self) -> bytes:
        """Return the next request, noted; empty at the end of the connection."""
        request = await read_request(self.reader)
        if request:
            self.served.requests.append(request)
        return request

    async def answers(self, data: bytes = OK) -> None:
        """Take a request, and say this."""
        if await self.request():
            await self.says(data)

    async def says(self, data: bytes) -> None:
        """Send."""
        self.writer.write(data)
        await self.writer.drain()

    async def ended(self) -> None:
        """Wait until the client has hung up."""
        try:
            while await in_time(self.reader.read(65536), 20, what="the client to hang up"):
                pass
        except ConnectionError:
            return


@dataclass(slots=True)
class Lines:
    """What came to a server, over how many connections.

    Attributes:
        over: Connections that have ended.
        failure: What went wrong in a part that was played.
    """

    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    over: int = 0
    failure: BaseException | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"


@asynccontextmanager
async def lines(
    part: Callable[[Line], Awaitable[None]], *, trust: ssl.SSLContext | None = None, backlog: int = 100
) -> AsyncIterator[Lines]:
    """Run a server of one's own on 127.0.0.1.

    Args:
        part: Plays a connection; when it returns, the server hangs up.
        trust: The server's certificate; without one it speaks plain HTTP.
        backlog: How many connections may wait to be taken.
    """
    served = Lines()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(served.connections, reader, writer, served)
        served.connections += 1
        try:
            await part(line)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        except Exception as error:  # noqa: BLE001 - asyncio would only log it
            served.failure = error
        finally:
            served.over += 1
            writer.close()

    server = await asyncio.start_server(play, "127.0.0.1", 0, ssl=trust, backlog=backlog)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
    if served.failure is not None:
        raise served.failure
