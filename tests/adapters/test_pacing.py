"""Paced fetches."""

import asyncio
from time import monotonic
from typing import Any

from app.adapters.kafka.pacing import paced


class Fetcher:
    """Notes when it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, float]] = []

    async def fetch(self, assignment: Any, node: Any, request: Any) -> bool:
        self.asked.append((node, monotonic()))
        return True


async def test_the_first_fetch_goes_at_once_and_the_next_waits_for_the_gap() -> None:
    """Two fetches of one node start at least the gap apart, so that records can gather."""
    fetcher = Fetcher()
    fetch = paced(fetcher.fetch, 0.05)
    before = monotonic()
    for _ in range(3):
        assert await fetch(None, 1, None)
    times = [at for _, at in fetcher.asked]
    assert times[1] - times[0] >= 0.05
    assert times[2] - times[1] >= 0.05
    assert times[0] - before < times[1] - before


async def test_nodes_do_not_wait_for_each_other() -> None:
    """The gap is one node's: another broker is asked although the first one's gap has hardly begun."""
    fetcher = Fetcher()
    fetch = paced(fetcher.fetch, 3600)
    await fetch(None, 1, None)
    await fetch(None, 2, None)
    assert [node for node, _ in fetcher.asked] == [1, 2]


async def test_a_fetch_cancelled_in_its_gap_brings_nothing() -> None:
    """Aiokafka cancels fetches when partitions go, and looks at their results afterwards: False, no exception."""
    fetcher = Fetcher()
    fetch = paced(fetcher.fetch, 3600)
    await fetch(None, 1, None)
    waiting = asyncio.ensure_future(fetch(None, 1, None))
    await asyncio.sleep(0)
    waiting.cancel()
    assert await waiting is False
    assert len(fetcher.asked) == 1
