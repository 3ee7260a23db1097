"""Paced fetches."""

import asyncio
from time import monotonic
from typing import Any

import pytest

from app.adapters.kafka.pacing import FOLLOWING, GATHERING, Flow, Gap, paced
from tests.support.waiting import in_time


class Fetcher:
    """Notes when it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, float]] = []

    async def fetch(self, assignment: Any, node: Any, request: Any) -> bool:
        self.asked.append((node, monotonic()))
        return True


def always(seconds: float) -> Gap:
    """Return a gap that does not depend on the flow."""
    return Gap(calm=seconds, least=seconds, most=seconds, free=0.0, per_rate=0.0)


async def test_the_first_fetch_goes_at_once_and_the_next_waits_for_the_gap() -> None:
    """Two fetches of one node start at least the gap apart, so that records can gather."""
    fetcher = Fetcher()
    fetch = paced(fetcher.fetch, always(0.05), Flow(), lambda: 1.0)
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
    fetch = paced(fetcher.fetch, always(3600), Flow(), lambda: 1.0)
    await fetch(None, 1, None)
    await fetch(None, 2, None)
    assert [node for node, _ in fetcher.asked] == [1, 2]


async def test_a_fetch_cancelled_in_its_gap_brings_nothing() -> None:
    """Aiokafka cancels fetches when partitions go, and looks at their results afterwards: False, no exception."""
    fetcher = Fetcher()
    fetch = paced(fetcher.fetch, always(3600), Flow(), lambda: 1.0)
    await fetch(None, 1, None)
    waiting = asyncio.ensure_future(fetch(None, 1, None))
    await asyncio.sleep(0)
    waiting.cancel()
    assert await waiting is False
    assert len(fetcher.asked) == 1


@pytest.mark.parametrize("gap", [GATHERING, FOLLOWING])
def test_the_gap_grows_with_the_flow_within_its_bounds(gap: Gap) -> None:
    """With no CPU to spare few records wait little, many wait longer, none longer than a tenth of a second."""
    gaps = [gap.at(rate, 1.0) for rate in (0, 10, 100, 300, 1000, 100_000)]
    assert gaps == sorted(gaps)
    assert (gaps[0], gaps[-1]) == (gap.least, gap.most)
    assert gap.most <= 0.1


@pytest.mark.parametrize("gap", [GATHERING, FOLLOWING])
@pytest.mark.parametrize("rate", [0, 50, 200, 1000, 100_000])
def test_the_gap_is_short_while_there_is_cpu_to_spare(gap: Gap, rate: float) -> None:
    """Whatever flows; as the CPU runs out it grows, never back, to what the flow makes it."""
    gaps = [gap.at(rate, strain) for strain in (0.0, 0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)]
    assert gaps[0] == gaps[2] == gap.calm < gap.least
    assert gaps == sorted(gaps)
    assert len(set(gaps[2:7])) == 5
    assert gaps[6] == gaps[7] == pytest.approx(min(max((rate - gap.free) * gap.per_rate, gap.least), gap.most))


async def test_fetches_are_as_far_apart_as_the_strain_of_the_moment_makes_them() -> None:
    """It is asked for with each fetch."""
    fetcher, strain = Fetcher(), [0.0]
    gap = Gap(calm=0.0, least=3600.0, most=3600.0, free=0.0, per_rate=0.0)
    fetch = paced(fetcher.fetch, gap, Flow(), lambda: strain[0])
    for _ in range(3):
        assert await in_time(fetch(None, 1, None), 5, what="a fetch without a gap")
    strain[0] = 1.0
    assert await in_time(fetch(None, 1, None), 5, what="the one after it, which is not told yet")
    waiting = asyncio.ensure_future(fetch(None, 1, None))
    await asyncio.sleep(0)
    waiting.cancel()
    assert await waiting is False
    assert len(fetcher.asked) == 4


def test_a_flow_follows_what_comes() -> None:
    """The rate nears a steady flow from either side within a few looks, and a burst alone does not count in full."""
    now = [0.0]
    flow = Flow(lambda: now[0])

    def looks(records: int, times: int) -> float:
        for _ in range(times):
            now[0] += 0.1
            flow.add(records)
            rate = flow.look()
        return rate

    assert looks(100, 1) < 500
    assert looks(100, 20) == pytest.approx(1000, rel=0.01)
    assert looks(0, 20) < 10


def test_two_looks_at_one_moment_are_one() -> None:
    """A clock that did not move gives no rate at all, rather than an endless one."""
    flow = Flow(lambda: 1.0)
    flow.add(5)
    assert flow.look() == 0
