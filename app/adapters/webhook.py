"""HTTP requests to addresses that users name, over keep-alive connections that the process shares.

Every webhook passes here, and a general HTTP client was the largest part of its cost; this one does what a webhook
needs and no more: HTTP/1.1, TLS, keep-alive, no redirects, no cookies, no compression, no proxies.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Final

from app.adapters.address_guard import RefusedAddressError
from app.adapters.http_dial import Dialer
from app.adapters.http_target import Origin, encode_request, parse_url
from app.adapters.http_wire import Connection
from app.domain.errors import ActionFailedError
from app.ports import HttpAnswer, HttpRequest

KEEP_ALIVE_SECONDS: Final = 4.0  # below the 5 s of the impatient servers, who else hang up on our next request


@asynccontextmanager
async def open_http_client(*, allow_private: bool) -> AsyncIterator["PooledHttpClient"]:
    """Open the process's HTTP client; its idle connections close at the end.

    Args:
        allow_private: Let requests reach private and loopback addresses (``webhook_allow_private``).
    """
    client = PooledHttpClient(Dialer(allow_private=allow_private))
    try:
        yield client
    finally:
        client.close()


class PooledHttpClient:
    """Sends HTTP requests; implements ``app.ports.HttpClient``.

    As many connections as requests are under way; the executor bounds those.
    """

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer
        self._idle: dict[Origin, list[Connection]] = {}
        self._sweeper: asyncio.TimerHandle | None = None
        self._ours = f"User-Agent: Headrace/{version('headrace')}\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"

    @property
    def idle_connections(self) -> int:
        """How many connections wait to be used again."""
        return sum(connection.reusable for connections in self._idle.values() for connection in connections)

    async def send(self, request: HttpRequest, *, within: float, body_limit: int) -> HttpAnswer:
        """Send and read at most ``body_limit`` bytes of the answer within ``within`` seconds.

        Once the headers are here the answer counts: a body that breaks off or outlasts the time is cut, not an error.

        Raises:
            ActionFailedError: No connection; no answer in time, or the connection lost (``effect_unknown``); an
                address or URL that is refused (permanent).
        """
        origin, target = parse_url(request.url)
        encoded = encode_request(request, origin, target, self._ours)
        connection: Connection | None = None
        try:
            async with asyncio.timeout(within):
                connection = self._take_idle(origin) or await self._dialer.connect(origin)
                await connection.exchange(encoded, body_limit)
        except (OSError, UnicodeError) as error:
            if connection is None:
                raise _not_connected(error, origin, within) from error
            if not connection.status:
                raise _not_answered(error, within) from error
        finally:
            if connection is not None:
                self._give_back(origin, connection)
        return HttpAnswer(connection.status, connection.headers, _text(connection))

    def close(self) -> None:
        """Close the idle connections."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    def _take_idle(self, origin: Origin) -> Connection | None:
        idle = self._idle.get(origin)
        oldest = asyncio.get_running_loop().time() - KEEP_ALIVE_SECONDS
        while idle:
            connection = idle.pop()
            if connection.reusable and connection.idle_since > oldest:
                return connection
            connection.close()
        return None

    def _give_back(self, origin: Origin, connection: Connection) -> None:
        if not connection.reusable:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.setdefault(origin, []).append(connection)
        if self._sweeper is None:
            self._sweeper = loop.call_later(KEEP_ALIVE_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Close what has been idle for too long; look again while anything is idle."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - KEEP_ALIVE_SECONDS
        for origin, connections in list(self._idle.items()):
            kept = [one for one in connections if one.reusable and one.idle_since > oldest]
            for connection in connections:
                if connection not in kept:
                    connection.close()
            if kept:
                self._idle[origin] = kept
            else:
                del self._idle[origin]
        self._sweeper = loop.call_later(KEEP_ALIVE_SECONDS, self._sweep) if self._idle else None


def _text(connection: Connection) -> str:
    if not connection.body:
        return ""
    charset = connection.headers.get("content-type", "").lower().partition("charset=")[2].partition(";")[0].strip('" ')
    try:
        return connection.body.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):  # no codec, or one for something else than text
        return connection.body.decode("utf-8", "replace")


def _not_connected(error: Exception, origin: Origin, within: float) -> ActionFailedError:
    """Say why nothing was sent, so surely nothing happened."""
    match error:
        case RefusedAddressError():
            return ActionFailedError(f"{origin.host} {error}", permanent=True)
        case TimeoutError():
            return ActionFailedError(f"no connection to {origin.host}:{origin.port} within {within:g} s")
        case OSError():
            reason = error.strerror or type(error).__name__
            return ActionFailedError(f"no connection to {origin.host}:{origin.port}: {reason}")
        case _:
            return ActionFailedError(f"url: {origin.host[:100]!r} is no host name", permanent=True)


def _not_answered(error: Exception, within: float) -> ActionFailedError:
    """Say how the answer got lost, which leaves open what happened."""
    if isinstance(error, TimeoutError):
        return ActionFailedError(f"no answer within {within:g} s", effect_unknown=True)
    return ActionFailedError(f"connection lost before the answer: {type(error).__name__}", effect_unknown=True)
