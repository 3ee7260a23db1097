"""Connections that are kept for the next request to the same origin, for as long as servers surely do."""

import asyncio
from collections import deque
from typing import Final
from weakref import WeakSet

from app.adapters.http.connection import Connection
from app.adapters.http.dialing import Dialer
from app.adapters.http.wire import Origin

KEEP_ALIVE_SECONDS: Final = 4.0  # below the 5 s of the impatient servers, who else hang up on our request
MOST_IDLE: Final = 512


class Pool:
    """Gives out connections; the one that was used last comes first, so that those too many are idle and end.

    Args:
        dialer: Connects.
        keep_s: How long a connection is kept, in seconds.
    """

    def __init__(self, dialer: Dialer, keep_s: float = KEEP_ALIVE_SECONDS) -> None:
        self._dialer = dialer
        self._keep_s = keep_s
        self._idle: dict[Origin, deque[Connection]] = {}
        self._count = 0
        self._open: WeakSet[Connection] = WeakSet()
        self._sweeping: asyncio.TimerHandle | None = None

    def kept(self, origin: Origin) -> Connection | None:
        """Return a connection that has served a request, if there is one that is good for another."""
        idle = self._idle.get(origin)
        if idle is None:
            return None
        oldest = asyncio.get_running_loop().time() - self._keep_s
        while idle:
            connection = idle.pop()
            self._count -= 1
            if connection.is_open and connection.idle_since >= oldest:
                return connection
            connection.close()
        return None

    async def fresh(self, origin: Origin) -> Connection:
        """Return a connection that is made for it.

        Raises:
            NotConnectedError: There is none.
            ValueError: The host is none.
        """
        connection = await self._dialer.connect(origin)
        self._open.add(connection)
        return connection

    def give_back(self, origin: Origin, connection: Connection) -> None:
        """Keep a connection for the next request, if it is good for one."""
        if not connection.is_reusable or self._count >= MOST_IDLE:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.setdefault(origin, deque()).append(connection)
        self._count += 1
        if self._sweeping is None:
            self._sweeping = loop.call_later(self._keep_s, self._sweep)

    def close(self) -> None:
        """Hang up on everybody; what was asked stays unanswered."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connection in list(self._open):
            connection.abort()

    def _sweep(self) -> None:
        """Hang up where nothing was asked for long; it goes on for as long as there are connections."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - self._keep_s
        for origin, idle in list(self._idle.items()):
            while idle and (idle[0].idle_since <= oldest or not idle[0].is_open):
                idle.popleft().close()
                self._count -= 1
            if not idle:
                del self._idle[origin]
        self._sweeping = loop.call_later(self._keep_s, self._sweep) if self._idle else None
