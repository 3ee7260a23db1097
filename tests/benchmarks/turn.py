"""One turn of one contender: warm up, stand idle, drain a backlog, then open loop at rising rates."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import psycopg

from tests.benchmarks.contender import Contender
from tests.benchmarks.load import EVENT_BYTES
from tests.benchmarks.measure import Rows, Sent, percentile
from tests.benchmarks.progress import say
from tests.benchmarks.sending import send
from tests.benchmarks.usage import Cost, Meter
from tests.support.deadlines import scaled

P99_LIMIT_MS: Final = 1000.0
QUIET_RATE: Final = 50.0
BASE_RATE: Final = 200.0
_GIVE_UP_S: Final = 60.0
_LOOK_EVERY_S: Final = 0.25
_SAMPLED: Final = 50


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure.

    Attributes:
        drain: Events in the backlog.
        rates: Open-loop rates to climb, a second.
        step_s: Seconds at each rate.
        idle_s: Seconds without any work, after the warm-up.
        settle_s: Seconds at the start of each step that don't count.
        warm_up: Events before anything counts: pools and caches fill, the broker's JVM compiles what is new to it.
        event_bytes: About how large an event is.
    """

    drain: int
    rates: Sequence[float]
    step_s: float = 15.0
    idle_s: float = 15.0
    settle_s: float = 2.0
    warm_up: int = 3000
    event_bytes: int = EVENT_BYTES


@dataclass(frozen=True, slots=True)
class Step:
    """One open-loop rate and what it came to; infinite latencies: rows that never came.

    Attributes:
        cpu_s: CPU seconds of each process from before the first event to the last row, by name.
        seconds: For how long events came.
    """

    rate: float
    p50_ms: float
    p99_ms: float
    late_ms: float
    cpu_s: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 15.0

    @property
    def passed(self) -> bool:
        """Whether the rate was sustained."""
        return self.p99_ms < P99_LIMIT_MS


@dataclass(slots=True)
class Outcome:
    """What a turn measured; ``idle`` is the share of a core that each process took while there was nothing to do."""

    drain_per_s: float = 0.0
    drain_events: int = 0
    costs: dict[str, Cost] = field(default_factory=dict)
    idle: dict[str, float] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    @property
    def open_loop_max_per_s(self) -> float:
        """The highest rate that passed."""
        return max((step.rate for step in self.steps if step.passed), default=0.0)


class Turn:
    """A contender that runs, and what measures it."""

    def __init__(self, contender: Contender, bootstrap: str, plan: Plan, shared_pids: dict[str, int]) -> None:
        self._contender = contender
        self._bootstrap = bootstrap
        self._plan = plan
        self._shared_pids = shared_pids

    async def run(self) -> Outcome:
        """Start the contender, measure, stop it."""
        outcome = Outcome()
        say(f"{self._contender.name}: starting")
        try:
            await self._contender.start()
            async with await psycopg.AsyncConnection.connect(
                self._contender.database_url, autocommit=True
            ) as connection:
                rows = Rows(connection)
                await self._wait(rows, await self._load(self._plan.warm_up, 0.0), "warming up")
                await self._idle(outcome)
                await self._drain(rows, outcome)
                await self._climb(rows, outcome)
        finally:
            await self._contender.stop()
        return outcome

    async def _idle(self, outcome: Outcome) -> None:
        if not self._plan.idle_s:
            return
        await asyncio.sleep(self._plan.settle_s)
        meter = self._meter()
        await asyncio.sleep(self._plan.idle_s)
        outcome.idle = {name: cost.cpu_s / self._plan.idle_s for name, cost in meter.costs().items()}
        ours = sum(outcome.idle[name] for name in self._contender.pids)
        say(f"{self._contender.name}: idle: {ours:.1%} of a core")

    def _meter(self) -> Meter:
        return Meter(self._shared_pids | self._contender.pids)

    async def _drain(self, rows: Rows, outcome: Outcome) -> None:
        self._contender.hold()
        sent = await self._load(self._plan.drain, 0.0)
        meter = self._meter()
        start = time.time()
        self._contender.go()
        await self._wait(rows, sent, "drain", meter)
        outcome.costs = meter.costs()
        committed = await rows.committed(sent.ids(self._contender.workflow))
        outcome.drain_per_s = sent.count / (max(committed) - start)
        outcome.drain_events = sent.count
        say(f"{self._contender.name}: drain of {sent.count}: {outcome.drain_per_s:.0f}/s")

    async def _climb(self, rows: Rows, outcome: Outcome) -> None:
        passed = 0.0
        for rate in self._plan.rates:
            step = await self._step(rows, rate)
            outcome.steps.append(step)
            if not step.passed:
                # Once more half-way, so that the answer is not only as fine as the ladder.
                outcome.steps.append(await self._step(rows, (passed + rate) / 2))
                return
            passed = rate

    async def _step(self, rows: Rows, rate: float) -> Step:
        meter = self._meter()
        sent = await self._load(int(rate * self._plan.step_s), rate)
        await self._wait(rows, sent, f"{rate:.0f}/s")
        cpu = {name: cost.cpu_s for name, cost in meter.costs().items()}
        committed = await rows.committed(sent.ids(self._contender.workflow))
        counted = range(int(rate * self._plan.settle_s), sent.count)
        latencies = [(committed[seq] - sent.due(seq)) * 1000 for seq in counted]
        p50, p99 = percentile(latencies, 0.5), percentile(latencies, 0.99)
        step = Step(rate, p50, p99, sent.late_ms, cpu, self._plan.step_s)
        say(f"{self._contender.name}: {rate:.0f}/s open loop: p50 {step.p50_ms:.0f} ms, p99 {step.p99_ms:.0f} ms")
        return step

    async def _load(self, count: int, rate: float) -> Sent:
        return await send(self._bootstrap, self._contender.topic, count, rate, size=self._plan.event_bytes)

    async def _wait(self, rows: Rows, sent: Sent, what: str, meter: Meter | None = None) -> None:
        """Wait until each execution has its row.

        Looks at a few of them until those are there: counting all the time would be part of what is measured.

        Raises:
            RuntimeError: Nothing has moved for a minute, or a process ended.
        """
        ids = sent.ids(self._contender.workflow)
        for wanted in (ids[:: max(1, len(ids) // _SAMPLED)], ids):
            seen, moved = -1, time.monotonic()
            while seen < len(wanted):
                _ = self._contender.pids
                if meter:
                    meter.look()
                now = await rows.count(wanted)
                seen, moved = (now, time.monotonic()) if now > seen else (seen, moved)
                if time.monotonic() - moved > scaled(_GIVE_UP_S):
                    raise RuntimeError(f"{what}: {seen} of {len(wanted)} rows, none more in {scaled(_GIVE_UP_S):.0f} s")
                say(f"{self._contender.name}: {what}: {seen * len(ids) // len(wanted)}/{len(ids)}", passing=True)
                if seen < len(wanted):
                    await asyncio.sleep(_LOOK_EVERY_S)
