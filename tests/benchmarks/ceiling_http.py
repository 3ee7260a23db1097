"""The ceiling's two ways to POST: the product's own HTTP client, or aiohttp, which most would reach for by hand."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from app.adapters.webhook import open_http_client
from app.domain.errors import ActionFailedError
from app.ports import HttpRequest

CLIENTS: Final = ("own", "aiohttp")
CONNECTIONS: Final = 64
_WITHIN_S: Final = 5.0
_BODY_LIMIT: Final = 2048

Post = Callable[[str, bytes, str], Awaitable[int]]
"""Takes URL, JSON body and Idempotency-Key; returns the status, 0 where no answer came."""


@asynccontextmanager
async def open_poster(client: str) -> AsyncIterator[Post]:
    """Open one of ``CLIENTS``."""
    async with _own() if client == "own" else _aiohttp() as post:
        yield post


@asynccontextmanager
async def _own() -> AsyncIterator[Post]:
    async with open_http_client(allow_private=True) as http:

        async def post(url: str, body: bytes, key: str) -> int:
            request = HttpRequest("POST", url, _headers(key), body)
            try:
                return (await http.send(request, within=_WITHIN_S, body_limit=_BODY_LIMIT)).status
            except ActionFailedError:
                return 0

        yield post


@asynccontextmanager
async def _aiohttp() -> AsyncIterator[Post]:
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    timeout = aiohttp.ClientTimeout(total=_WITHIN_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:

        async def post(url: str, body: bytes, key: str) -> int:
            try:
                async with http.post(url, data=body, headers=_headers(key)) as answer:
                    await answer.read()
                    return answer.status
            except (aiohttp.ClientError, TimeoutError):
                return 0

        yield post


def _headers(key: str) -> dict[str, str]:
    return {"Content-Type": "application/json", "Idempotency-Key": key}
