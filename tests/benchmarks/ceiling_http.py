"""How the ceiling POSTs: aiohttp's client, as the product does."""

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
