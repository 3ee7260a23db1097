"""Whether something grew in a soak: the second quarter of the looks against the last one."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median
from typing import Any, Final

from tests.benchmarks.measure import percentile

MEMORY_LIMIT: Final = 1.05
# A second of lateness is what the highest rate is measured by; below it the quarters may differ by half.
LATE_LIMIT: Final = 1.5
LATE_FREE_S: Final = 1.0
# A connection that is made anew may be there twice at a look.
_SPARE: Final = 1
_QUARTERS: Final = 4
# What is not ours, and grows until its heap's limit.
_TOLD_ONLY: Final = frozenset({"kafka"})
_NEVER_S: Final = 999.0


@dataclass(frozen=True, slots=True)
class Look:
    """What there was at one moment.

    Attributes:
        at_s: Seconds since the first event.
        memory_mb: Resident memory by process.
        files: Open files, sockets among them, by process.
        broker_connections: Connections that the broker has.
        sessions: Sessions in the database.
        p50_s: From when an event was due to its row, and
        p99_s: of the slowest.
    """

    at_s: float
    memory_mb: dict[str, float]
    files: dict[str, int]
    broker_connections: int
    sessions: int
    p50_s: float
    p99_s: float

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that may not grow: medians of two quarters, and what the last may be; None: anything."""

    what: str
    early: float
    late: float
    limit: float | None

    @property
    def good(self) -> bool:
        """Tell whether it holds."""
        return self.limit is None or self.late <= self.limit

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def lateness(late: Sequence[float], share: float) -> float:
    """Return a percentile of lateness; 0 where nothing was looked at yet, very much where a row never came."""
    if not late:
        return 0.0
    found = percentile(late, share)
    return round(found, 3) if math.isfinite(found) else _NEVER_S


def quarters(looks: Sequence[Look]) -> tuple[Sequence[Look], Sequence[Look]]:
    """Return the second quarter of the looks and the last; a run that was cut short has quarters as well."""
    size = max(1, len(looks) // _QUARTERS)
    return looks[size : 2 * size] or looks, looks[-size:]


def rules(looks: Sequence[Look]) -> list[Rule]:
    """Return each thing that may not grow, with what was found."""
    early, late = quarters(looks)

    def rule(what: str, of: Callable[[Look], float], limit: Callable[[float], float | None]) -> Rule:
        before, after = (round(median(of(look) for look in part), 3) for part in (early, late))
        return Rule(what, before, after, limit(before))

    found = []
    for name in sorted(looks[-1].memory_mb):
        more = _anything if name in _TOLD_ONLY else _memory_limit
        found.append(rule(f"memory of {name}, MB", partial(_memory, name), more))
    for name in sorted(looks[-1].files):
        more = _anything if name in _TOLD_ONLY else _one_more
        found.append(rule(f"open files of {name}", partial(_files, name), more))
    found.append(rule("connections to the broker", lambda look: look.broker_connections, _one_more))
    found.append(rule("sessions in Postgres", lambda look: look.sessions, _one_more))
    found.append(rule("p50, s", lambda look: look.p50_s, _late_limit))
    found.append(rule("p99, s", lambda look: look.p99_s, _late_limit))
    return found


def _memory(name: str, look: Look) -> float:
    return look.memory_mb[name]


def _files(name: str, look: Look) -> float:
    return look.files[name]


def _anything(_: float) -> None:
    return None


def _memory_limit(was: float) -> float:
    return round(was * MEMORY_LIMIT, 1)


def _one_more(was: float) -> float:
    return was + _SPARE


def _late_limit(was: float) -> float:
    return max(LATE_FREE_S, round(LATE_LIMIT * was, 3))


def judged(found: Sequence[Rule]) -> bool:
    """Tell whether all of them hold."""
    return all(rule.good for rule in found)


def table(found: Sequence[Rule]) -> str:
    """Return them as a table."""
    lines = [f"{'median of':<42}{'2nd quarter':>12}{'last':>10}{'at most':>10}"]
    lines += [
        f"{rule.what:<42}{rule.early:>12.2f}{rule.late:>10.2f}"
        f"{'-' if rule.limit is None else f'{rule.limit:.2f}':>10}  {'ok' if rule.good else 'GREW'}"
        for rule in found
    ]
    return "\n".join(lines)
