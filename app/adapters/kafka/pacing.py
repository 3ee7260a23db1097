"""Paces fetches: a fetch that follows the last one at once brings back a record or two, at the price of a full one.

aiokafka asks for every partition in every fetch, so a fetch costs the broker and us the same whether it brings one
record or a thousand. ``fetch.min.bytes`` cannot pace it: the broker then looks at every waiting fetch whenever a record
comes, and the first record of a quiet topic waits for nothing. A gap leaves that first record alone and lets the next
ones gather.
"""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

Fetch = Callable[[Any, Any, Any], Awaitable[bool]]


def paced(fetch: Fetch, gap: float) -> Fetch:
    """Return ``fetch`` (aiokafka's ``Fetcher._proc_fetch_request``) with calls at least ``gap`` seconds apart, by node.

    A call that is cancelled while it waits answers False, as one that is cancelled under way does.
    """
    next_at: dict[Any, float] = {}

    async def fetch_in_turn(assignment: Any, node: Any, request: Any) -> bool:
        pause = next_at.get(node, 0.0) - monotonic()
        if pause > 0:
            try:
                await asyncio.sleep(pause)
            except asyncio.CancelledError:
                return False
        next_at[node] = monotonic() + gap
        return await fetch(assignment, node, request)

    return fetch_in_turn
