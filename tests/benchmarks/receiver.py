"""A webhook receiver that costs next to nothing: it answers 204 at once and counts distinct Idempotency-Keys.

It is a process of its own, so that what it costs shows as its own line. ``GET`` answers with the counts as JSON. Only
what HTTP clients really send is understood: one request after the other, a Content-Length, no chunks.
"""

import argparse
import asyncio
import re
import sys
from typing import Final, cast

import orjson
import uvloop

_ANSWER: Final = b"HTTP/1.1 204 No Content\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_KEY: Final = re.compile(rb"\r\nidempotency-key: *([^\r]+)", re.IGNORECASE)


class Counts:
    """What arrived."""

    def __init__(self) -> None:
        self.posts = 0
        self.keys: set[bytes] = set()

    def encode(self) -> bytes:
        """Return the counts as JSON: ``{"posts": n, "keys": distinct}``."""
        return orjson.dumps({"posts": self.posts, "keys": len(self.keys)})


class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer each whole request that the buffer holds."""
        self._buffer = self._buffer + data if self._buffer else data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = _LENGTH.search(head)
            total = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < total:
                return
            self._buffer = self._buffer[total:]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        assert self._transport is not None
        if head.startswith(b"GET "):
            body = self._counts.encode()
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
            return
        self._counts.posts += 1
        if key := _KEY.search(head):
            self._counts.keys.add(key[1])
        self._transport.write(_ANSWER)


async def serve(port: int) -> None:
    """Serve on loopback until cancelled; says the port on stdout (0 picks a free one)."""
    counts = Counts()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(counts), "127.0.0.1", port, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    """Read the port and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
