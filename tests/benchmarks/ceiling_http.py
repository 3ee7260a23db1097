"""How the ceiling POSTs: with aiohttp, as the product does."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

CONNECTIONS: Final = 64
_WITHIN_S: Final = 5.0

Post = Callable[[str, bytes, str], Awaitable[int]]
"""Takes URL, JSON body and Idempotency-Key; returns the status, 0 where no answer came."""


@asynccontextmanager
async def open_poster() -> AsyncIterator[Post]:
    """Open the client."""
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    timeout = aiohttp.ClientTimeout(total=_WITHIN_S)
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=jar) as http:

        async def post(url: str, body: bytes, key: str) -> int:
            headers = {"Content-Type": "application/json", "Idempotency-Key": key}
            try:
                async with http.post(url, data=body, headers=headers) as answer:
                    await answer.read()
                    return answer.status
            except (aiohttp.ClientError, TimeoutError):
                return 0

        yield post
