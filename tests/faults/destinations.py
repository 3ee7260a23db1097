"""A destination that is slow, half-open, answers garbage or closes in a body; some of it after the effect.

It stands before the webhooks' receiver, which keeps what has arrived: what is not passed on has had no effect.
"""

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Literal

from app.embedded.free_ports import HOST
from app.services.operations.background import end_all

Mood = Literal["good", "slow", "half-open", "garbage", "cut", "refusing"]
MOODS: Final[tuple[Mood, ...]] = ("slow", "half-open", "garbage", "cut", "refusing")
# An attempt has five seconds; of four, the last ones are answered as they should be.
SLOW_S: Final = 3.0
_MOODY_ATTEMPTS: Final = 2
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_KEY: Final = re.compile(rb"\r\nidempotency-key: *([^\r]+)", re.IGNORECASE)
_CUT_SHORT: Final = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4096\r\n\r\n{"taken":'
_GARBAGE: Final = b"\x16\x03\x01\x00\xff garbage, no HTTP\r\n\r\n"


class Fickle:
    """Passes requests on to a receiver, in a mood by chance while it is ``moody``.

    Args:
        port: Where the receiver listens.
        chance: Draws the moods.

    Attributes:
        port: Where this listens.
        moody: The share of requests, of a command's first attempts, that are answered badly.
        shown: How often each mood was shown, and whether the effect had happened.
    """

    def __init__(self, port: int, chance: random.Random) -> None:
        self._there, self._chance = port, chance
        self._attempts: Counter[bytes] = Counter()
        self._served: set[asyncio.Task[None]] = set()
        self.port = 0
        self.moody = 0.0
        self.shown: Counter[tuple[Mood, bool]] = Counter()

    @property
    def url(self) -> str:
        """Where webhooks go."""
        return f"http://{HOST}:{self.port}"

    async def taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._served.add(task)
        try:
            while request := await _request(reader):
                if not await self._answer(request, reader, writer):
                    break
        finally:
            self._served.discard(task)
            writer.transport.abort()

    async def end(self) -> None:
        """End every connection."""
        await end_all(self._served)

    def mood_of(self, request: bytes) -> tuple[Mood, bool]:
        """Draw how a request is answered, and whether its effect happens."""
        key = _KEY.search(request)
        name = key[1] if key else b""
        self._attempts[name] += 1
        if self._attempts[name] > _MOODY_ATTEMPTS or self._chance.random() >= self.moody:
            return "good", True
        mood = self._chance.choice(MOODS)
        # One that says no has done nothing. One that is slow has, and one that has said 200, whatever follows.
        return mood, mood in ("slow", "cut") or (mood != "refusing" and self._chance.random() < 0.5)

    async def _answer(self, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer in a mood; False where the connection ends."""
        mood, happens = self.mood_of(request)
        self.shown[mood, happens] += 1
        answer = await self._passed_on(request) if happens else b""
        match mood:
            case "good":
                writer.write(answer)
            case "slow":
                # Piece by piece, so that no single wait is long.
                for piece in (answer[:20], answer[20:]):
                    await asyncio.sleep(SLOW_S / 2)
                    writer.write(piece)
            case "half-open":
                await reader.read()  # says nothing until the other side gives it up
                return False
            case "garbage" | "cut":
                writer.write(_GARBAGE if mood == "garbage" else _CUT_SHORT)
                await writer.drain()
                writer.close()
                await writer.wait_closed()
                return False
            case "refusing":
                writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        return True

    async def _passed_on(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(HOST, self._there)
        try:
            writer.write(request)
            return await _request(reader)
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    """Return one message of HTTP with its body; nothing where the connection has ended."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        return head + (await reader.readexactly(int(length[1])) if length else b"")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


@asynccontextmanager
async def fickle(port: int, chance: random.Random) -> AsyncIterator[Fickle]:
    """Stand before the receiver that listens at a port."""
    front = Fickle(port, chance)
    server = await asyncio.start_server(front.taken, HOST, 0, backlog=1024)
    front.port = server.sockets[0].getsockname()[1]
    try:
        yield front
    finally:
        server.close()
        await front.end()
        await server.wait_closed()
