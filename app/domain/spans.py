"""Spans of time that a list goes back (or on) in: short ones first, so that what is recent is found without the rest.

A log that is partitioned by day costs a statement for each day that it may touch, before a row is read. Most pages are
full after the newest day. Where two filters have an index each and none has both, one leads to many rows of which the
other leaves few: there spans are as long as what they cost allows (``Paced``).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.domain.times import shifted

STEPS: Final = (timedelta(1), timedelta(7), timedelta(30))
_MOST_GROWTH: Final = 4.0
_TICK_S: Final = 1e-6
_LEAST: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Span:
    """From ``since`` on, before ``until``; None is without an end."""

    since: datetime | None
    until: datetime | None


class Paced:
    """Lengths of spans that follow what the last one cost, for as long as they are less than the whole.

    Args:
        whole: What they come to together; the last may be longer than is left.
        first: The first one's length.
        aim: Seconds that each should take.
    """

    def __init__(self, whole: timedelta, first: timedelta = timedelta(hours=3), aim: float = 0.01) -> None:
        self._whole = whole
        self._step = first
        self._aim = aim

    def __iter__(self) -> Iterator[timedelta]:
        """Yield a length, each after the last one's cost was told."""
        done = timedelta()
        while done < self._whole:
            yield self._step
            done += self._step

    def note(self, seconds: float) -> None:
        """Tell what the last span took; a day without a row says little of the next, so that it grows by steps."""
        by = max(1 / _MOST_GROWTH, min(_MOST_GROWTH, self._aim / max(seconds, _TICK_S)))
        self._step = max(_LEAST, self._step * by)


def going_back(
    since: datetime | None, until: datetime | None, now: datetime, steps: Iterable[timedelta] = STEPS
) -> Iterator[Span]:
    """Yield the spans from ``until`` down to ``since``, the newest first; together they are all of it."""
    edge, high = min(until or now, now), until
    for step in steps:
        edge = shifted(edge, -step)
        if since is not None and edge <= since:
            break
        yield Span(edge, high)
        high = edge
    yield Span(since, high)


def going_on(
    since: datetime | None, until: datetime | None, oldest: datetime, steps: Iterable[timedelta] = STEPS
) -> Iterator[Span]:
    """Yield the spans from ``since`` up to ``until``, the oldest first; together they are all of it.

    Args:
        since: Where to begin; None: with whatever there is.
        until: Where to end, itself left out.
        oldest: About where the rows begin.
        steps: How long the spans are.
    """
    edge, low = since or oldest, since
    for step in steps:
        edge = shifted(edge, step)
        if until is not None and edge >= until:
            break
        yield Span(low, edge)
        low = edge
    yield Span(low, until)
