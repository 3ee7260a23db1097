"""Connections of the API: how many there may be, and how long each may take over headers and answers.

aiohttp has a time for a connection that sends nothing, and for nothing else. So a protocol of ours stands between the
socket and aiohttp's: it hands everything on, and watches the clock. It asks aiohttp nothing: when a request begins
and ends it hears from our own middleware (:func:`begun`), over the transport's protocol.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Network, IPv6Network
from typing import Final, cast

from aiohttp import web

from app.admin.addresses import is_trusted, peer_site
from app.admin.limits import ConnectionLimits
from app.admin.problems import raw_problem
from app.metrics.admin import CONNECTIONS, CONNECTIONS_CLOSED

Network = IPv4Network | IPv6Network

_GOODBYE_S: Final = 1.0
_MOST_GOODBYES: Final = 100


class Connections:
    """All connections of one server.

    Args:
        limits: What connections may take.
        proxies: Networks whose addresses hand on what others send, and may hold any share of the connections.
    """

    def __init__(self, limits: ConnectionLimits, proxies: Sequence[Network] = ()) -> None:
        self.limits = limits
        self.goodbyes = 0
        self._proxies = proxies
        self._open: Counter[str] = Counter()

    def __len__(self) -> int:
        """Return how many there are."""
        return self._open.total()

    def enter(self, peer: str) -> str | None:
        """Count a new one; returns why there is no room for it, or None."""
        address = peer_site(peer)
        if len(self) >= self.limits.most:
            return "full"
        if self._open[address] >= self.limits.most_each and not is_trusted(peer, self._proxies):
            return "address_full"
        self._open[address] += 1
        CONNECTIONS.set(len(self))
        return None

    def leave(self, peer: str) -> None:
        """Count one less."""
        address = peer_site(peer)
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]
        CONNECTIONS.set(len(self))


class Guard(asyncio.Protocol):
    """Stands before aiohttp's protocol of one connection.

    Args:
        connections: All connections of the process.
        behind: Makes aiohttp's protocol, which takes over.
    """

    def __init__(self, connections: Connections, behind: Callable[[], asyncio.Protocol]) -> None:
        self._connections = connections
        self._limits = connections.limits
        self._make = behind
        self._behind: asyncio.Protocol | None = None
        self._loop = asyncio.get_running_loop()
        self._reading: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._begun = 0
        self._heard = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the connection on, if there is room for it."""
        self._transport = cast("asyncio.Transport", transport)  # which uvloop's is by its methods alone
        self._peer = _peer(self._transport)
        refused = self._connections.enter(self._peer)
        if refused is not None:
            self._refuse(refused)
            return
        self._behind = self._make()
        self._behind.connection_made(transport)
        self._reading = self._loop.call_later(self._limits.headers_within, self._no_headers)

    def data_received(self, data: bytes) -> None:
        """Hand data on; the first byte after an idle time begins headers, which have a time of their own."""
        if self._behind is None:
            return
        if not self._begun and not self._heard:
            self._heard = True
            self._watch(self._limits.headers_within, self._no_headers)
        self._behind.data_received(data)

    def eof_received(self) -> bool | None:
        """Hand on that no more will come."""
        return self._behind.eof_received() if self._behind is not None else None

    def pause_writing(self) -> None:
        """Hand on that the caller does not take up what is written, and wait for it no longer than bounded."""
        assert self._behind is not None
        self._writing = self._loop.call_later(self._limits.answer_within, self._not_taken)
        self._behind.pause_writing()

    def resume_writing(self) -> None:
        """Hand on that the caller has taken it up."""
        assert self._behind is not None
        if self._writing is not None:
            self._writing.cancel()
        self._behind.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand on that it is over."""
        for timer in (self._reading, self._writing):
            if timer is not None:
                timer.cancel()
        if self._behind is None:
            self._connections.goodbyes -= 1
            return
        self._connections.leave(self._peer)
        self._behind.connection_lost(exc)

    def request_began(self) -> None:
        """Note that a request's headers are here."""
        self._begun += 1
        if self._reading is not None:
            self._reading.cancel()

    def request_ended(self) -> None:
        """Note that its answer is made; the connection may be kept for the next."""
        self._begun -= 1
        if not self._begun and not self._transport.is_closing():
            self._heard = False
            self._watch(self._limits.idle, self._idle)

    def _watch(self, seconds: float, then: Callable[[], None]) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._reading = self._loop.call_later(seconds, then)

    def _no_headers(self) -> None:
        CONNECTIONS_CLOSED.labels("no_headers").inc()
        if self._heard:
            self._transport.write(raw_problem(408, "The request's headers were not here in time"))
        self._transport.close()

    def _idle(self) -> None:
        if self._transport.get_write_buffer_size():  # an answer that is still taken up: ``_not_taken`` watches that
            self._watch(self._limits.idle, self._idle)
            return
        CONNECTIONS_CLOSED.labels("idle").inc()
        self._transport.close()

    def _not_taken(self) -> None:
        CONNECTIONS_CLOSED.labels("answer_not_taken").inc()
        self._transport.abort()

    def _refuse(self, reason: str) -> None:
        """Say that there is no room, and close after a moment: with bytes unread, it would not be seen."""
        CONNECTIONS_CLOSED.labels(reason).inc()
        self._connections.goodbyes += 1
        if self._connections.goodbyes > _MOST_GOODBYES:
            self._transport.abort()
            return
        whose = "from this address" if reason == "address_full" else "in all"
        said = raw_problem(503, f"There are too many connections {whose}", {"Retry-After": "5"})
        self._transport.write(said)
        self._transport.write_eof()
        self._reading = self._loop.call_later(_GOODBYE_S, self._transport.abort)


@contextmanager
def begun(request: web.Request) -> Iterator[None]:
    """Let the connection's guard know how long a request is worked on; a test that serves without one has none."""
    guard = request.transport.get_protocol() if request.transport is not None else None
    if not isinstance(guard, Guard):
        yield
        return
    guard.request_began()
    try:
        yield
    finally:
        guard.request_ended()


def _peer(transport: asyncio.Transport) -> str:
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else ""
