"""Circuit breakers as one worker sees them: whether an attempt may be made, and what came of it.

Input: the attempts of the worker's executors. Output: go ahead, probe, or wait. Side effects: transitions, in the
store that all workers share. While a destination serves, nothing of this leaves the process. Breakers go by circuits:
a destination as one owner's workflows reach it (``app.domain.breaker.circuit_of``).
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.domain import breaker
from app.domain.breaker import BreakerPolicy, BreakerState, FailureCounts, Permit, Verdict
from app.domain.errors import ActionFailedError
from app.execution.open_circuits import OpenCircuit, OpenCircuits
from app.metrics.executor import BREAKER_STATE, BREAKER_TRANSITIONS
from app.metrics.families import Samples
from app.ports import BreakerStore
from app.services.operations.background import note_failure
from app.services.operations.outages import Outage, same_pauses, serve_for_ever

MOST_SHOWN: Final = 100
LOOK_EVERY_S: Final = 30.0
MAX_REASON_CHARS: Final = 200
_BACKOFF_S: Final = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether an attempt may be made now.

    Attributes:
        admitted: Whether the attempt may be made.
        probe: It is a probe: what comes of it moves the breaker.
        wait: Seconds until it may be worth asking again, where it may not.
        reason: Why it may not be made.
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
        self._open = OpenCircuits(clock)
        self._outage = Outage("circuit breakers", log)
        BREAKER_STATE.watch(self._states)

    @property
    def max_wait(self) -> timedelta:
        """How long a command waits for a breaker, at most."""
        return self._policy.max_wait

    async def run(self) -> None:
        """Follow what other workers find out, for ever; while the store is away what is known stays."""
        await serve_for_ever(self._outage, self._follow, same_pauses(_BACKOFF_S))

    async def _follow(self) -> None:
        async with self._store.watch() as watch:
            while True:
                self.see(*await watch.look())
                self._outage.served()
                await watch.changed(LOOK_EVERY_S)

    def shut(self, circuit: str) -> Admission | None:
        """Return a refusal where it is known without asking that no attempt may be made."""
        known = self._open.shut(circuit)
        return None if known is None else self._refusal(known)

    async def admit(self, circuit: str) -> Admission:
        """Say whether an attempt may be made; only a half-open breaker is asked for outside this process."""
        shut = self.shut(circuit)
        if shut is not None:
            return shut
        known = self._open.get(circuit)
        if known is None:
            return GO
        permit = Permit.REFUSED

        def ask(state: BreakerState | None, now: datetime) -> BreakerState | None:
            nonlocal permit
            permit, after = breaker.asked(state, now, self._policy)
            return after

        self._learn(circuit, *await self._store.change(circuit, ask))
        if permit is Permit.CLOSED:
            return GO
        return Admission(probe=True) if permit is Permit.PROBE else self._refusal(self._open.get(circuit) or known)

    async def judge(self, circuit: str, admission: Admission, error: ActionFailedError | None) -> None:
        """Note what an attempt came to; ``error`` is how it failed, None that it succeeded."""
        if error is None or error.verdict is Verdict.SERVES:
            await self.record(circuit, admission, None)
        elif error.verdict is Verdict.FAILS:
            await self.record(circuit, admission, str(error))
        elif admission.probe:
            self._learn(circuit, *await self._store.change(circuit, breaker.unproven))

    async def record(self, circuit: str, admission: Admission, failure: str | None) -> None:
        """Note what an attempt said of its destination; ``failure`` is how that failed, None that it served."""
        if failure is not None:
            failure = failure.partition(": ")[0][:MAX_REASON_CHARS]  # what a destination answered may hold anything
        if admission.probe:
            before = self._open.get(circuit)
            state, now = await self._store.change(
                circuit, lambda state, now: breaker.probed(state, now, self._policy, failure)
            )
            self._learn(circuit, state, now)
            if before is not None and circuit not in self._open:
                self._say(circuit, "closed", open_s=round(self._clock() - before.since, 1))
        elif failure is None:
            self._counts.succeeded(circuit)
        elif circuit not in self._open and self._counts.failed(circuit):
            state, now = await self._store.change(
                circuit, lambda state, now: breaker.tripped(state, now, self._policy, failure)
            )
            self._learn(circuit, state, now)
            self._say(circuit, "open", why=failure)

    def see(self, states: Mapping[str, BreakerState], now: datetime) -> None:
        """Take over what the store holds: the breakers that are not closed, and its time."""
        self._open.keep(states)
        for circuit, state in states.items():
            try:
                self._learn(circuit, state, now)
            except Exception as error:  # noqa: BLE001 - noted with its traceback; the other breakers count
                note_failure("breakers", error, f"the breaker of {circuit}")

    def _states(self) -> Samples:
        return {(destination,): float(state) for destination, state in self._open.states(MOST_SHOWN).items()}

    def _refusal(self, known: OpenCircuit) -> Admission:
        return Admission(admitted=False, wait=max(0.0, known.until - self._clock()), reason=known.reason)

    def _say(self, circuit: str, to: str, **said: object) -> None:
        BREAKER_TRANSITIONS.labels(to).inc()
        destination, owner = breaker.parts_of(circuit)
        of = {"outage": destination, "owner": owner, "breaker": to, **said}
        log.warning("circuit breaker of %s: %s", destination, to, extra=of)

    def _learn(self, circuit: str, state: BreakerState | None, now: datetime) -> None:
        if state is None or state.closed:
            self._open.remove(circuit)
        else:
            known, here = self._open.get(circuit), self._clock()
            until = here + (state.until - now).total_seconds()
            self._open.put(circuit, OpenCircuit(until, state.reason, here if known is None else known.since))
