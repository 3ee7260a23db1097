"""Paces fetches: a fetch that follows the last one at once brings back a record or two, at the price of a full one.

aiokafka asks for every partition in every fetch, so a fetch costs the broker and us the same whether it brings one
record or a thousand. ``fetch.min.bytes`` cannot pace it: the broker then looks at every waiting fetch whenever a record
comes, and the first record of a quiet topic waits for nothing. A gap leaves that first record alone and lets the next
ones gather. While there is CPU to spare the gap is as short as makes sense. As it runs out the gap grows with the flow:
few records wait a little each, many make batches that are worth their price. Short gaps on a machine that has nothing
to spare would make all wait longer (docs/decisions/gaps-by-spare-cpu.md).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

Fetch = Callable[[Any, Any, Any], Awaitable[bool]]

_WEIGHT: Final = 0.3


# Up to the first share of the CPU there is plenty to spare, from the second on nothing.
_PLENTY: Final = 0.5
_NOTHING: Final = 0.9


@dataclass(frozen=True, slots=True)
class Gap:
    """Seconds between the starts of two fetches from one node.

    Attributes:
        calm: The gap while there is CPU to spare, whatever flows; the others are for when there is none.
        least: The gap while few records flow.
        most: The gap that it never exceeds.
        free: Records a second at which it begins to grow.
        per_rate: Seconds that it grows by for each record a second more.
    """

    calm: float
    least: float
    most: float
    free: float
    per_rate: float

    def at(self, rate: float, strain: float) -> float:
        """Return the gap for a flow of ``rate`` records a second where so much of the CPU is taken (0 to 1)."""
        strained = min(max((rate - self.free) * self.per_rate, self.least), self.most)
        share = min(max((strain - _PLENTY) / (_NOTHING - _PLENTY), 0.0), 1.0)
        return self.calm + (strained - self.calm) * share


# Who reads events, one by one as they happen, gathers them: its batches are the batches of all that follows.
GATHERING: Final = Gap(calm=0.004, least=0.01, most=0.1, free=0.0, per_rate=1 / 5000)
# Who reads what others of us have written finds it in batches already; few records need not wait a second time.
FOLLOWING: Final = Gap(calm=0.002, least=0.008, most=0.1, free=150.0, per_rate=1 / 6500)


class Flow:
    """How many records a second come, smoothed over the last few fetches."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._stirred = self._since
        self._count = 0
        self.rate = 0.0

    def add(self, records: int) -> None:
        """Count records."""
        self._count += records
        if records:
            self.stir()

    def stir(self) -> None:
        """Note that something happens, be it without records."""
        self._stirred = self._clock()

    def quiet_for(self) -> float:
        """Seconds since anything happened."""
        return self._clock() - self._stirred

    def look(self) -> float:
        """Return the rate, with what came since the last look."""
        now = self._clock()
        if now > self._since:
            self.rate += _WEIGHT * (self._count / (now - self._since) - self.rate)
            self._since, self._count = now, 0
        return self.rate


def paced(fetch: Fetch, gap: Gap, flow: Flow, strain: Callable[[], float]) -> Fetch:
    """Return ``fetch`` (aiokafka's ``Fetcher._proc_fetch_request``) with calls at least the gap apart, by node.

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
        next_at[node] = monotonic() + gap.at(flow.look(), strain())
        return await fetch(assignment, node, request)

    return fetch_in_turn
