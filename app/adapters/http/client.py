"""HTTP requests to addresses that users name, over one keep-alive session per process.

Every webhook passes here, so each request is kept cheap: no cookies, no tracing, no decompression, no proxies, one
timer. Redirects are followed here and not by aiohttp, which would send a user's headers along; each hop's address is
checked when it is connected to, as the first one's is.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from importlib.metadata import version
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import ClientResponse, ClientSession, ClientTimeout
from aiohttp.abc import AbstractResolver

from app.adapters.http.address_guard import IPNetwork, RefusedAddressError, guarded_socket
from app.adapters.http.redirects import REDIRECTS, SEE_OTHER, next_hop
from app.domain.errors import ActionFailedError
from app.domain.origins import origin
from app.ports import HttpAnswer, HttpRequest

CONNECTIONS: Final = 512
KEEP_ALIVE_SECONDS: Final = 4.0
DRAIN_BYTES: Final = 64 * 1024
CONNECT_SHARE: Final = 0.9


@asynccontextmanager
async def open_http_client(
    *, allow_private: bool, allow_networks: Sequence[IPNetwork] = (), resolver: AbstractResolver | None = None
) -> AsyncIterator["AiohttpClient"]:
    """Open the process's HTTP client; connections close at the end.

    Args:
        allow_private: Let requests reach private and loopback addresses (``webhook_allow_private``).
        allow_networks: Let them reach these, even if they are private (``webhook_allow_networks``).
        resolver: Finds the addresses of names; the system's unless given.
    """
    connector = aiohttp.TCPConnector(
        limit=CONNECTIONS,  # as many as an executor takes records at once: nothing ever queues here
        keepalive_timeout=KEEP_ALIVE_SECONDS,  # below the 5 s of the impatient servers, who else close on our request
        ttl_dns_cache=10,
        socket_factory=guarded_socket(allow_private=allow_private, allow_networks=allow_networks),
        resolver=resolver,
    )
    session = ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"User-Agent": f"Headrace/{version('headrace')}", "Accept": "*/*", "Accept-Encoding": "identity"},
        skip_auto_headers=("Content-Type",),
    )
    async with session:
        yield AiohttpClient(session)


class AiohttpClient:
    """Sends HTTP requests; implements ``app.ports.HttpClient``."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session

    async def send(self, request: HttpRequest, *, within: float, body_limit: int) -> HttpAnswer:
        """Send and read at most ``body_limit`` bytes of the answer within ``within`` seconds, redirects included.

        Once the status line is here the answer counts: a body that breaks off or outlasts the time is cut, not an
        error.

        Raises:
            ActionFailedError: No connection; no answer in time, or the connection lost (``effect_unknown``); an
                address, URL or redirect that is refused (permanent).
        """
        until = asyncio.get_running_loop().time() + within
        response: ClientResponse | None = None
        body = bytearray()
        try:
            async with asyncio.timeout(within):
                response = await self._start(request, within)
                await _read(response, body, body_limit)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if response is None:
                raise _failure(error, within) from error
        finally:
            if response is not None:
                response.close()  # no effect on a connection that was read to its end: that one is back in the pool
        answer = HttpAnswer(response.status, _lower(response), _text(response, body))
        if request.redirects and answer.status in REDIRECTS:
            left = until - asyncio.get_running_loop().time()
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

    async def _start(self, request: HttpRequest, within: float) -> ClientResponse:
        return await self._session.request(
            request.method,
            request.url,
            headers=request.headers,
            data=request.body,
            allow_redirects=False,
            timeout=_connect_timeout(within),
        )


@lru_cache(maxsize=64)
def _connect_timeout(within: float) -> ClientTimeout:
    """Give the connection nine tenths of the time, so that one that fails is known to have had no effect."""
    return ClientTimeout(total=None, connect=within * CONNECT_SHARE, ceil_threshold=math.inf)


async def _read(response: ClientResponse, body: bytearray, limit: int) -> None:
    """Collect up to ``limit`` bytes; read on a little, because a connection at its end can be used again."""
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        body += chunk[: limit - len(body)]
        if size > max(limit, DRAIN_BYTES):
            return


def _lower(response: ClientResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _text(response: ClientResponse, body: bytearray) -> str:
    if not body:
        return ""
    try:
        return body.decode(response.charset or "utf-8", "replace")
    except (LookupError, ValueError):  # no codec, or one for something else than text
        return body.decode("utf-8", "replace")


def _failure(error: Exception, within: float) -> ActionFailedError:
    """Say what a request without an answer came to: the one place that knows what each error leaves open."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return ActionFailedError(f"no connection within {within:g} s", timed_out=True)
        case TimeoutError():
            return ActionFailedError(f"no answer within {within:g} s", effect_unknown=True, timed_out=True)
        case aiohttp.ClientConnectorError():
            return _not_connected(error)
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError() | ValueError():
            return ActionFailedError("url: no http request can be made of it", permanent=True)
        case _:
            return ActionFailedError(f"connection lost before the answer: {type(error).__name__}", effect_unknown=True)


def _not_connected(error: aiohttp.ClientConnectorError) -> ActionFailedError:
    if isinstance(error.os_error, RefusedAddressError):
        return ActionFailedError(f"{error.host} {error.os_error}", permanent=True)
    reason = error.os_error.strerror or type(error.os_error).__name__
    # A name that nothing has, or a certificate that is another's, is a mistake in the URL, and no load on a server.
    mistaken = isinstance(error, aiohttp.ClientConnectorDNSError | aiohttp.ClientSSLError)
    return ActionFailedError(f"no connection to {error.host}:{error.port}: {reason}", own_making=mistaken)
