"""The figures of a day, and of each hour of it, from executions that ended alike. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from app.domain.statuses import RETRYABLE, ExecutionStatus

HOURS: Final = 24
_DID_NOT_RUN: Final = frozenset({ExecutionStatus.SKIPPED, ExecutionStatus.BLOCKED})
_MEDIAN: Final = 0.5
_P99: Final = 0.99


class Alike(Protocol):
    """Executions of one hour that ended alike and took about as long."""

    @property
    def hour(self) -> int:
        """The hour of the day, from 0."""

    @property
    def status(self) -> str:
        """How they ended."""

    @property
    def count(self) -> float:
        """How many there are."""

    @property
    def ms(self) -> float | None:
        """How long they took; None where they did not run."""

    @property
    def failed_steps(self) -> float:
        """How many of their steps failed."""

    @property
    def is_counted(self) -> bool:
        """Whether every one of them was looked at."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a day.

    Attributes:
        value: Of the whole day; None where nothing has it.
        line: The same of each hour, the oldest first.
        about: Not every execution was looked at for it.
    """

    value: float | None
    line: Sequence[float | None]
    about: bool = False


@dataclass(frozen=True, slots=True)
class DayFigures:
    """The figures of a day.

    Attributes:
        executions: Those that ran.
        success_rate: Those of them that succeeded, or were stopped as the workflow says, as a share of 1.
        median_ms: Half of them took no longer.
        p99_ms: 99 of 100 took no longer.
        failed_actions: Steps that failed.
        passed_over: How many did not run, as conditions were not met or they may not.
    """

    executions: Figure
    success_rate: Figure
    median_ms: Figure
    p99_ms: Figure
    failed_actions: Figure
    passed_over: int


def figures_of(found: Iterable[Alike]) -> DayFigures:
    """Return the figures."""
    rows = list(found)
    ran = [one for one in rows if one.status not in _DID_NOT_RUN]
    hours: Mapping[int, list[Alike]] = {hour: [] for hour in range(HOURS)}
    for one in ran:
        if one.hour in hours:
            hours[one.hour].append(one)
    by_hour, about = list(hours.values()), not all(one.is_counted for one in ran)
    return DayFigures(
        executions=Figure(_count(ran), [_count(one) for one in by_hour]),
        success_rate=Figure(_rate(ran), [_rate(one) for one in by_hour], about),
        median_ms=Figure(_quantile(ran, _MEDIAN), [_quantile(one, _MEDIAN) for one in by_hour], about),
        p99_ms=Figure(_quantile(ran, _P99), [_quantile(one, _P99) for one in by_hour], about),
        failed_actions=Figure(_steps(ran), [_steps(one) for one in by_hour], about),
        passed_over=round(sum(one.count for one in rows if one.status in _DID_NOT_RUN)),
    )


def _count(rows: Iterable[Alike]) -> float:
    return round(sum(one.count for one in rows))


def _steps(rows: Iterable[Alike]) -> float:
    return round(sum(one.failed_steps for one in rows))


def _rate(rows: Sequence[Alike]) -> float | None:
    whole = sum(one.count for one in rows)
    failed = sum(one.count for one in rows if one.status in RETRYABLE)
    return (whole - failed) / whole if whole else None


def _quantile(rows: Sequence[Alike], share: float) -> float | None:
    """Return the time that so large a share of them took at most."""
    timed = sorted((one.ms, one.count) for one in rows if one.ms is not None)
    wanted, seen = share * sum(count for _, count in timed), 0.0
    for ms, count in timed:
        seen += count
        if seen >= wanted - 1e-9:
            return ms
    return None
