"""A destination that takes as long as it is told to, and notes who came in which order.

``POST /slow`` is answered after ``slow_s``, ``POST /fast`` at once, ``POST /never`` not at all. A body is
``{"entity": ..., "n": ...}``.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import orjson

from app.embedded.free_ports import HOST

_LENGTH: Final = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
_ANSWER: Final = b"HTTP/1.1 204 No Content\r\n\r\n"


class Destination:
    """The destination.

    Attributes:
        slow_s: Seconds that ``/slow`` takes.
        first: The numbers of each entity, in the order in which they came first; what comes again is not in it.
        again: How many came again.
    """

    def __init__(self) -> None:
        self.slow_s = 1.0
        self.first: dict[str, list[int]] = {}
        self.again = 0
        self._seen: set[tuple[str, int]] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self.url = ""

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests, one after the other."""
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                self._note(body)
                await self._wait(head.split(b" ", 2)[1])
                writer.write(_ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client is gone, or the destination closes
        finally:
            self._connections.discard(task)
            writer.close()

    def close(self) -> None:
        """End every connection."""
        for task in list(self._connections):
            task.cancel()

    def _note(self, body: bytes) -> None:
        said = orjson.loads(body)
        place = (said["entity"], int(said["n"]))
        if place in self._seen:
            self.again += 1
        else:
            self._seen.add(place)
            self.first.setdefault(place[0], []).append(place[1])

    async def _wait(self, path: bytes) -> None:
        if path == b"/never":
            await asyncio.Event().wait()
        if path == b"/slow":
            await asyncio.sleep(self.slow_s)


@asynccontextmanager
async def destination() -> AsyncIterator[Destination]:
    """Run a destination."""
    one = Destination()
    server = await asyncio.start_server(one.connected, HOST, 0, backlog=1024)
    one.url = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
    try:
        yield one
    finally:
        server.close()
        one.close()
