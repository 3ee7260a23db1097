"""An HTTP server that answers with the bytes it is given: for answers that no proper server would send."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.support.waiting import in_time


@dataclass(slots=True)
class RawServer:
    """A server on 127.0.0.1 that records requests and answers with ``answer``, byte for byte.

    Attributes:
        answer: What it sends; None: it never answers.
        then_close: Whether it hangs up after answering.
        requests: The requests' bytes, in order.
        connections: How many were made.
    """

    answer: bytes | None = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    then_close: bool = False
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        try:
            while request := await read_request(reader):
                self.requests.append(request)
                if self.answer is None:
                    await self.released.wait()
                    break
                writer.write(self.answer)
                await writer.drain()
                if self.then_close:
                    break
        except ConnectionError:
            return
        finally:
            writer.close()


@asynccontextmanager
async def raw_server(host: str = "127.0.0.1") -> AsyncIterator[RawServer]:
    """Run a server of one's own; ``host`` is where it listens; empty: on every address of both families."""
    served = RawServer()
    if host:
        server = await asyncio.start_server(served.handle, host, 0)
    else:
        both = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        server = await asyncio.start_server(served.handle, sock=both)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        served.released.set()
        server.close()
        await server.wait_closed()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Return one request, whole; empty at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return head + await reader.readexactly(int(value))
    return head


@dataclass(slots=True)
class RawClient:
    """One connection to a server, over which anything can be sent."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Send; what the server does not take any more is lost."""
        try:
            for begin in range(0, len(data), 65536):  # as the other side takes it, so that nothing piles up here
                self.writer.write(data[begin : begin + 65536])
                await self.writer.drain()
        except ConnectionError:
            return

    async def rest(self) -> bytes:
        """Return all that comes until the server closes the connection."""
        read = bytearray()
        try:
            while chunk := await in_time(self.reader.read(65536), 20, what="the server to answer or to close"):
                read += chunk
        except ConnectionError:
            pass
        return bytes(read)

    async def answer(self) -> tuple[int, bytes]:
        """Return the status and the body of one answer; the connection may be kept."""
        head = await in_time(self.reader.readuntil(b"\r\n\r\n"), 20, what="an answer")
        sizes = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        size = int(sizes[0].partition(b":")[2]) if sizes else 0
        return int(head.split(b" ", 2)[1]), await in_time(self.reader.readexactly(size), 20, what="its body")


@asynccontextmanager
async def raw_client(url: str) -> AsyncIterator[RawClient]:
    """Connect to a server."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield RawClient(reader, writer)
    finally:
        writer.close()
