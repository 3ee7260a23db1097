"""Circuit breakers as one worker sees them: whether an attempt may be made, and what came of it.

Input: the attempts of the worker's executors. Output: go ahead, probe, or wait. Side effects: transitions, in the
store that all workers share. While a destination serves, nothing of this leaves the process.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import Counter

from app.domain import breaker
from app.domain.breaker import BreakerPolicy, BreakerState, FailureCounts, Permit
from app.domain.errors import UnreachableError
from app.ports import BreakerStore
from app.services.background import note_failure

LOOK_EVERY_S: Final = 30.0
MAX_REASON_CHARS: Final = 200
_BACKOFF_S: Final = 1.0

log = logging.getLogger(__name__)

transitions_total = Counter("headrace_breaker_transitions_total", "Circuit breakers that opened or closed", ["to"])


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether an attempt may be made now.

    Attributes:
        admitted: It may.
        probe: It is a probe: what comes of it moves the breaker.
        wait: Seconds until it may be worth asking again, where it may not.
        reason: Why not.
    """

    admitted: bool = True
    probe: bool = False
    wait: float = 0.0
    reason: str = ""


GO: Final = Admission()


class Breakers:
    """One worker's breakers.

    Args:
        store: What the workers share.
        policy: When breakers open, and for how long.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, store: BreakerStore, policy: BreakerPolicy, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock
        self._counts = FailureCounts(policy.threshold)
        # Of those that are not closed: when they are half open (monotonic seconds), and why they opened.
        self._open: dict[str, tuple[float, str]] = {}

    @property
    def max_wait(self) -> timedelta:
        """How long a command waits for a breaker, at most."""
        return self._policy.max_wait

    async def run(self) -> None:
        """Follow what other workers find out, for ever; while the store is away what is known stays."""
        while True:
            try:
                async with self._store.watch() as watch:
                    while True:
                        self.see(*await watch.look())
                        await watch.changed(LOOK_EVERY_S)
            except UnreachableError as error:
                log.warning("circuit breakers: %s; next try in %.1f s", error, _BACKOFF_S)
            await asyncio.sleep(_BACKOFF_S)

    def shut(self, destination: str) -> Admission | None:
        """Return a refusal where it is known without asking that no attempt may be made."""
        known = self._open.get(destination)
        left = known[0] - self._clock() if known else 0.0
        return Admission(admitted=False, wait=left, reason=known[1]) if known and left > 0 else None

    async def admit(self, destination: str) -> Admission:
        """Say whether an attempt may be made; only a half-open breaker is asked for outside this process."""
        known = self._open.get(destination)
        if known is None:
            return GO
        shut = self.shut(destination)
        if shut is not None:
            return shut
        permit = Permit.REFUSED

        def ask(state: BreakerState | None, now: datetime) -> BreakerState | None:
            nonlocal permit
            permit, after = breaker.asked(state, now, self._policy)
            return after

        self._learn(destination, *await self._store.change(destination, ask))
        if permit is Permit.CLOSED:
            return GO
        if permit is Permit.PROBE:
            return Admission(probe=True)
        known = self._open.get(destination, known)
        return Admission(admitted=False, wait=max(0.0, known[0] - self._clock()), reason=known[1])

    async def record(self, destination: str, admission: Admission, failure: str | None) -> None:
        """Note what an attempt came to; ``failure`` is how the destination failed, None where it served."""
        if failure is not None:
            failure = failure.partition(": ")[0][:MAX_REASON_CHARS]  # what a destination answered may hold anything
        if admission.probe:
            before = self._open.get(destination)
            state, now = await self._store.change(
                destination, lambda state, now: breaker.probed(state, now, self._policy, failure)
            )
            self._learn(destination, state, now)
            if before is not None and destination not in self._open:
                self._say(destination, "closed", "")
        elif failure is None:
            self._counts.succeeded(destination)
        elif destination not in self._open and self._counts.failed(destination):
            state, now = await self._store.change(
                destination, lambda state, now: breaker.tripped(state, now, self._policy, failure)
            )
            self._learn(destination, state, now)
            self._say(destination, "open", failure)

    def _say(self, destination: str, to: str, failure: str) -> None:
        transitions_total.labels(to).inc()
        log.warning("circuit breaker of %s: %s%s", destination, to, f" ({failure})" if failure else "")

    def see(self, states: Mapping[str, BreakerState], now: datetime) -> None:
        """Take over what the store holds: the breakers that are not closed, and its time."""
        for destination in set(self._open) - set(states):
            del self._open[destination]
        for destination, state in states.items():
            try:
                self._learn(destination, state, now)
            except Exception as error:  # noqa: BLE001 - noted with its traceback; the other breakers count
                note_failure("breakers", error, f"the breaker of {destination}")

    def _learn(self, destination: str, state: BreakerState | None, now: datetime) -> None:
        if state is None or state.closed:
            self._open.pop(destination, None)
        else:
            self._open[destination] = (self._clock() + (state.until - now).total_seconds(), state.reason)
