"""Circuit breakers: a destination that keeps failing is left alone, then tried carefully (docs/design.md#7-breakers).

Each owner of workflows has a circuit of their own to each destination: what one's requests come to closes nothing for
the others. Only where those of ``WIDESPREAD`` owners are open at once is it the destination, and left alone by all.

A breaker opens after some failed attempts in a row. While it is open no attempt is made. After a time it is half
open: three attempts are let through as probes; three successes close it, one failure opens it again. Pure: what the
workers share is a :class:`BreakerState`, and every transition is a function of it and the time.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from uuid import UUID

PROBES: Final = 3
SUCCESSES: Final = 3
MAX_COUNTED: Final = 10_000
WIDESPREAD: Final = 3

_OWNED: Final = re.compile(r"(.*) for ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When breakers open, and for how long.

    Attributes:
        threshold: Failed attempts in a row that open one (CIRCUIT_BREAKER_THRESHOLD).
        timeout: How long it is open before it is probed (CIRCUIT_BREAKER_TIMEOUT). A probe of which nothing is heard
            for as long, because its worker was killed, is given to another worker.
        max_wait: How long a command waits for it, at most (CIRCUIT_BREAKER_MAX_WAIT).
    """

    threshold: int = 5
    timeout: timedelta = timedelta(seconds=30)
    max_wait: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class BreakerState:
    """What the workers share of a destination's breaker; without a state it is closed.

    Attributes:
        closed: Whether attempts are free.
        until: While it is not closed: when it is half open.
        reason: The failure that opened it.
        probes: Attempts that may still be let through while it is half open.
        successes: Probes that succeeded.
        probing_since: When the last probe was let through.
    """

    closed: bool
    until: datetime
    reason: str = ""
    probes: int = PROBES
    successes: int = 0
    probing_since: datetime | None = None


def circuit_of(destination: str, owner: UUID) -> str:
    """Return the name of an owner's circuit to a destination, which is what breakers go by."""
    return f"{destination} for {owner}"


@lru_cache(maxsize=4096)
def parts_of(circuit: str) -> tuple[str, UUID | None]:
    """Return the destination and the owner of a circuit; one of no owner has the destination's name."""
    match = _OWNED.fullmatch(circuit)
    return (match[1], UUID(match[2])) if match else (circuit, None)


class Verdict(StrEnum):
    """What a failed attempt says of its destination."""

    SERVES = "serves"
    FAILS = "fails"
    NOTHING = "nothing"


class Permit(StrEnum):
    """What a half-open breaker answers."""

    CLOSED = "closed"
    PROBE = "probe"
    REFUSED = "refused"


def tripped(state: BreakerState | None, now: datetime, policy: BreakerPolicy, reason: str) -> BreakerState:
    """Return the breaker after one worker has counted enough failures; one that is open already stays as it is."""
    if state is not None and not state.closed:
        return state
    return BreakerState(closed=False, until=now + policy.timeout, reason=reason)


def free_probes(state: BreakerState, now: datetime, policy: BreakerPolicy) -> int:
    """Return how many probes may be let through now."""
    if state.closed or now < state.until:
        return 0
    if state.probing_since is not None and now - state.probing_since > policy.timeout:
        return PROBES - state.successes
    return state.probes


def asked(state: BreakerState | None, now: datetime, policy: BreakerPolicy) -> tuple[Permit, BreakerState | None]:
    """Tell whether an attempt may be made; returns the breaker after that, too."""
    if state is None or state.closed:
        return Permit.CLOSED, state
    probes = free_probes(state, now, policy)
    if not probes:
        return Permit.REFUSED, state
    return Permit.PROBE, replace(state, probes=probes - 1, probing_since=now)


def probed(
    state: BreakerState | None, now: datetime, policy: BreakerPolicy, failure: str | None
) -> BreakerState | None:
    """Return the breaker after a probe; ``failure`` says how it failed, None that it succeeded.

    A probe that ends after the breaker has closed or opened again changes nothing: it tells of a time gone by.
    """
    if state is None or state.closed or now < state.until:
        return state
    if failure is not None:
        return BreakerState(closed=False, until=now + policy.timeout, reason=failure)
    successes = state.successes + 1
    return replace(state, successes=successes, closed=successes >= SUCCESSES)


def unproven(state: BreakerState | None, now: datetime) -> BreakerState | None:
    """Return the breaker after a probe that says nothing of the destination: another may be made in its place."""
    if state is None or state.closed or now < state.until:
        return state
    return replace(state, probes=min(state.probes + 1, PROBES - state.successes))


class FailureCounts:
    """Counts one worker's failed attempts in a row, by circuit.

    Args:
        threshold: How many open the breaker.
        most: Destinations to count; beyond that the one that began to fail first is forgotten.
    """

    def __init__(self, threshold: int, *, most: int = MAX_COUNTED) -> None:
        self._threshold = threshold
        self._most = most
        self._counts: dict[str, int] = {}

    def failed(self, destination: str) -> bool:
        """Count a failure; True where it is the one that opens the breaker, after which counting begins anew."""
        count = self._counts.get(destination, 0) + 1
        if count >= self._threshold:
            self._counts.pop(destination, None)
            return True
        if len(self._counts) >= self._most and destination not in self._counts:
            del self._counts[next(iter(self._counts))]
        self._counts[destination] = count
        return False

    def succeeded(self, destination: str) -> None:
        """Forget the destination's failures."""
        if self._counts:
            self._counts.pop(destination, None)
