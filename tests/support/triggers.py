"""A thousand callers of ``POST /api/v1/events`` at the same moment, from several addresses of this machine."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

import aiohttp

ADDRESSES: Final = 10
_EACH: Final = 99  # connections of one address; the API takes 100


async def trigger_at_once(base_url: str, token: str, events: Sequence[dict[str, Any]]) -> Counter[int]:
    """Send each event in a request of its own, all at once; returns how often each status was answered.

    Args:
        base_url: The API's.
        token: The sender's.
        events: CloudEvents.
    """
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/cloudevents+json"}
    async with AsyncExitStack() as stack:
        senders = [
            await stack.enter_async_context(_sender(base_url, f"127.0.0.{10 + number}", headers))
            for number in range(ADDRESSES)
        ]

        async def send(number: int, event: dict[str, Any]) -> int:
            async with senders[number % ADDRESSES].post("/api/v1/events", json=event) as answer:
                await answer.read()
                return answer.status

        return Counter(await asyncio.gather(*(send(number, event) for number, event in enumerate(events))))


def _sender(base_url: str, address: str, headers: dict[str, str]) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=_EACH, local_addr=(address, 0))
    return aiohttp.ClientSession(base_url, headers=headers, connector=connector)
