"""Server-sent events (the HTML standard's ``text/event-stream``).

A stream holds a connection and no database connection. It ends when its caller's token does not hold any more, which
is looked at with every heartbeat; a caller who does not take up what is written is cut off by the connection's guard.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from app.admin.operations import EVENT_STREAM
from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.errors import HeadraceError, UnreachableError
from schemas.base import encode

# Where a proxy stands between, it is to hand on each event as it comes (nginx).
_HEADERS: Final = {"X-Accel-Buffering": "no"}


def is_gone(request: web.Request) -> bool:
    """Tell whether a request's caller has closed the connection."""
    return request.transport is None or request.transport.is_closing()


class EventStream:
    """The events of one request.

    Args:
        request: Whose answer they are.
    """

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self.response = web.StreamResponse(headers=_HEADERS)
        self.response.content_type = EVENT_STREAM

    async def begin(self) -> None:
        """Send the headers, and at once something that shows that the stream is open."""
        await self.response.prepare(self._request)
        if not self.is_head:
            await self.response.write(b": open\n\n")

    async def send(self, kind: str, event_id: str, data: object) -> None:
        """Send an event; JSON has no line ends in it."""
        head = f"id: {event_id}\nevent: {kind}\ndata: ".encode()
        await self.response.write(head + encode(data) + b"\n\n")

    async def send_error(self, problem: bytes) -> None:
        """Tell that the stream breaks off, with a problem document; it has no id: the caller goes on from the last."""
        await self.response.write(b"event: error\ndata: " + problem + b"\n\n")

    async def beat(self, event_id: str) -> None:
        """Send a comment, so that nobody between takes the connection for dead, and the id to go on from."""
        await self.response.write(f": heartbeat\nid: {event_id}\n\n".encode())

    @property
    def is_head(self) -> bool:
        """Whether only the headers are asked for."""
        return self._request.method == "HEAD"

    @property
    def heartbeat(self) -> float:
        """Seconds between two heartbeats."""
        return self._request.app[STATE].live.streams.heartbeat

    @property
    def gone(self) -> bool:
        """Whether the caller has closed the connection."""
        return is_gone(self._request)

    async def holds(self) -> bool:
        """Tell whether the caller may still be told: the token holds, and means what it meant.

        Raises:
            UnreachableError: Nobody can tell.
        """
        identity = self._request.app[STATE].access.identity
        try:
            return identity.admitted(await identity.granted(self._request)) == self._request[CALLER]
        except UnreachableError:
            raise
        except HeadraceError:
            return False


async def going_on(stream: EventStream, seconds: float, turn: Callable[[], Awaitable[str | None]]) -> None:
    """Take turns until the time is over, the token is, or the caller is gone.

    Args:
        stream: Begun.
        seconds: After which it ends; the caller may come again.
        turn: Waits for something to tell, a second or two, and tells it; returns the id to go on from, None at the end.
    """
    clock, every = asyncio.get_running_loop().time, stream.heartbeat
    end, due = clock() + seconds, clock() + every
    while clock() < end:
        place = await turn()
        if place is None or stream.gone:
            return
        if clock() >= due:
            if not await stream.holds():
                return
            await stream.beat(place)
            due = clock() + every
