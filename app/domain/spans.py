"""Spans of time that a list goes back (or on) in: short ones first, so that what is recent is found without the rest.

A log that is partitioned by day costs a statement for each day that it may touch, before a row is read. Most pages are
full after the newest day.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.domain.times import shifted

STEPS: Final = (timedelta(1), timedelta(7), timedelta(30))
# For what no index answers alone: each span is as long as all before it, so that it takes about as long as they did.
FINE: Final = tuple(timedelta(hours=hours) for hours in (3, 3, 6, 12, 24, 48, 96, 192, 384, 768))


@dataclass(frozen=True, slots=True)
class Span:
    """From ``since`` on, before ``until``; None is without an end."""

    since: datetime | None
    until: datetime | None


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
