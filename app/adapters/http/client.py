"""HTTP requests to addresses that users name, over connections that are kept for the next.

Every webhook passes here, so there is only what a webhook needs: no cookies, no decompression, no proxies, one timer
(docs/decisions/webhook-client.md). Each hop of a redirect is a request of its own, its address checked when it is
connected to, as the first one's is.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from email.message import Message
from functools import partial
from importlib.metadata import version
from typing import Final, NamedTuple, Self
from urllib.parse import urlsplit

from app.adapters.http.address_guard import IPNetwork, RefusedAddressError, guarded_socket
from app.adapters.http.connection import Answer, ClientOSError, ClientResponseError, Connection, ServerDisconnectedError
from app.adapters.http.dialing import Dialer, NotConnectedError, system_trust
from app.adapters.http.names import Names, Resolve, system_resolve
from app.adapters.http.pool import Pool
from app.adapters.http.redirects import SEE_OTHER, next_hop
from app.adapters.http.wire import Origin, encoded, target_of
from app.domain.errors import ActionFailedError
from app.domain.origins import origin
from app.ports import HttpAnswer, HttpRequest
from app.ports.http import REDIRECTS

# The connection gets so much of the time, so that one that fails is known to have had no effect.
CONNECT_SHARE: Final = 0.9
# What may be sent again where a kept connection ends unanswered: RFC 9110, 9.2.2.
_IDEMPOTENT: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"})
_DEFAULTS: Final = (
    ("user-agent", f"User-Agent: Headrace/{version('headrace')}"),
    ("accept", "Accept: */*"),
    ("accept-encoding", "Accept-Encoding: identity"),
)


class ConnectTimeoutError(OSError):
    """There was no connection in time."""


class _Times(NamedTuple):
    """When a connection, and when an answer, is given up, on the loop's clock."""

    connected: float
    until: float

    @classmethod
    def of(cls, within: float) -> Self:
        now = asyncio.get_running_loop().time()
        return cls(now + within * CONNECT_SHARE, now + within)


@asynccontextmanager
async def open_http_client(
    *,
    allow_private: bool,
    allow_networks: Sequence[IPNetwork] = (),
    resolve: Resolve = system_resolve,
    trust: ssl.SSLContext | None = None,
) -> AsyncIterator["KeepAliveClient"]:
    """Open the process's HTTP client; connections close at the end.

    Args:
        allow_private: Let requests reach private and loopback addresses (``webhook_allow_private``).
        allow_networks: Let them reach these, even if they are private (``webhook_allow_networks``).
        resolve: Finds the addresses of names.
        trust: Judges the certificates of servers; whom the system trusts unless given.
    """
    names = Names(resolve)
    make_socket = guarded_socket(allow_private=allow_private, allow_networks=allow_networks)
    trust = await asyncio.to_thread(system_trust) if trust is None else trust
    pool = Pool(Dialer(names, make_socket, trust))
    try:
        yield KeepAliveClient(pool)
    finally:
        pool.close()
        names.close()


class KeepAliveClient:
    """Sends HTTP requests; implements ``app.ports.HttpClient``.

    Args:
        pool: Where connections come from.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def send(self, request: HttpRequest, *, within: float, body_limit: int) -> HttpAnswer:
        """Send and read at most ``body_limit`` bytes of the answer within ``within`` seconds, redirects included.

        Once the status line is here the answer counts: a body that breaks off or outlasts the time is cut, not an
        error.

        Raises:
            ActionFailedError: No connection; no answer in time, or the connection lost (``effect_unknown``); an
                address, URL or redirect that is refused (permanent).
        """
        times = _Times.of(within)
        try:
            raw = await self._exchange(request, times, body_limit)
        except (OSError, ValueError) as error:
            raise _failure(error, within) from error
        answer = HttpAnswer(raw.status, raw.headers, _text(raw))
        if request.redirects and answer.status in REDIRECTS:
            left = times.until - asyncio.get_running_loop().time()
            return await self._follow(request, answer, within=left, body_limit=body_limit)
        return answer

    async def _follow(self, request: HttpRequest, answer: HttpAnswer, *, within: float, body_limit: int) -> HttpAnswer:
        hop = next_hop(request, answer)
        try:
            return await self.send(hop, within=within, body_limit=body_limit)
        except ActionFailedError as error:
            # 303 says that the request was carried out and that its result is elsewhere.
            error.effect_unknown |= answer.status == SEE_OTHER
            error.own_making |= origin(urlsplit(hop.url)) != origin(urlsplit(request.url))
            raise

    async def _exchange(self, request: HttpRequest, times: _Times, limit: int) -> Answer:
        """Send over a kept connection, if there is one.

        That one may have ended a moment ago, which cannot be known before it is used, nor whether the request was
        carried out. So only what may be carried out twice is sent again, and once.
        """
        target = target_of(request.url)
        data = encoded(request, target, _DEFAULTS)
        method = request.method.upper()
        ask = partial(self._ask, target.origin, data, until=times.until, limit=limit, bodiless=method == "HEAD")
        kept = self._pool.kept(target.origin)
        if kept is None:
            return await ask(await self._connected(target.origin, times))
        try:
            return await ask(kept)
        except (ClientOSError, ServerDisconnectedError) as lost:
            if method not in _IDEMPOTENT:
                raise
            try:
                connection = await self._connected(target.origin, times)
            except (OSError, ValueError):
                raise lost from None  # whether it was carried out is open still
        return await ask(connection)

    async def _connected(self, origin: Origin, times: _Times) -> Connection:
        try:
            async with asyncio.timeout_at(times.connected):
                return await self._pool.fresh(origin)
        except TimeoutError:
            raise ConnectTimeoutError from None

    async def _ask(
        self, origin: Origin, data: bytes, connection: Connection, *, until: float, limit: int, bodiless: bool
    ) -> Answer:
        try:
            answer = await connection.ask(data, until=until, limit=limit, bodiless=bodiless)
        except BaseException:  # cancelled, too: an answer that nobody waits for must not be the next request's
            connection.abort()
            raise
        self._pool.give_back(origin, connection)
        return answer


def _text(answer: Answer) -> str:
    if not answer.body:
        return ""
    kind = answer.headers.get("content-type", "")
    try:
        return answer.body.decode(_charset(kind) if "charset" in kind.lower() else "utf-8", "replace")
    except (LookupError, ValueError):  # no codec, or one for something else than text
        return answer.body.decode("utf-8", "replace")


def _charset(content_type: str) -> str:
    parsed = Message()
    parsed["Content-Type"] = content_type
    return str(parsed.get_param("charset", "utf-8"))


def _failure(error: Exception, within: float) -> ActionFailedError:
    """Say what a request without an answer came to: the one place that knows what each error leaves open."""
    match error:
        case ConnectTimeoutError():
            return ActionFailedError(f"no connection within {within:g} s", timed_out=True)
        case TimeoutError():
            return ActionFailedError(f"no answer within {within:g} s", effect_unknown=True, timed_out=True)
        case NotConnectedError():
            return _not_connected(error)
        case ValueError():
            return ActionFailedError("url: no http request can be made of it", permanent=True)
        case ClientResponseError():
            return ActionFailedError(f"its answer is no HTTP that can be read: {error}", effect_unknown=True)
        case _:
            return ActionFailedError(f"connection lost before the answer: {type(error).__name__}", effect_unknown=True)


def _not_connected(error: NotConnectedError) -> ActionFailedError:
    host, port = error.origin.host, error.origin.port
    if isinstance(error.cause, RefusedAddressError):
        return ActionFailedError(f"{host} {error.cause}", permanent=True)
    reason = error.cause.strerror or type(error.cause).__name__
    return ActionFailedError(f"no connection to {host}:{port}: {reason}", own_making=error.mistaken)
