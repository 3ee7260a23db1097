"""Spans of time: together they are what was asked for, without a gap, the nearest end first."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import cycle, pairwise
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.spans import STEPS, Paced, Span, going_back, going_on

NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
MOMENTS = st.none() | st.integers(-100 * 24, 10 * 24).map(lambda hours: NOW + timedelta(hours=hours))


def joined(spans: list[Span]) -> bool:
    """Whether each begins where the one before ends."""
    return all(one.until == other.since for one, other in pairwise(spans))


COSTS: Final = st.none() | st.lists(st.floats(0, 3), min_size=1, max_size=5)


def told(spans: Iterable[Span], paced: Paced | None, costs: list[float]) -> list[Span]:
    """All spans, the cost of each told before the next."""
    found = []
    for span, cost in zip(spans, cycle(costs), strict=False):
        found.append(span)
        if paced is not None:
            paced.note(cost)
    return found


@settings(deadline=None)
@given(since=MOMENTS, until=MOMENTS, costs=COSTS)
def test_spans_back_are_the_whole_without_a_gap(
    since: datetime | None, until: datetime | None, costs: list[float] | None
) -> None:
    """From the end that was asked for to the beginning, whatever they are, and whatever each has cost."""
    paced = None if costs is None else Paced(timedelta(92))
    spans = told(going_back(since, until, NOW, paced or STEPS), paced, costs or [0])
    assert (spans[0].until, spans[-1].since) == (until, since)
    assert joined(spans[::-1])


@settings(deadline=None)
@given(since=MOMENTS, until=MOMENTS, costs=COSTS)
def test_spans_on_are_the_whole_without_a_gap(
    since: datetime | None, until: datetime | None, costs: list[float] | None
) -> None:
    """From the beginning that was asked for to the end."""
    paced = None if costs is None else Paced(timedelta(92))
    spans = told(going_on(since, until, NOW - timedelta(92), paced or STEPS), paced, costs or [0])
    assert (spans[0].since, spans[-1].until) == (since, until)
    assert joined(spans)


def test_the_first_span_is_a_day() -> None:
    """What is recent is found without the rest."""
    assert next(going_back(None, None, NOW)) == Span(NOW - timedelta(1), None)
    assert next(going_on(NOW, None, NOW)) == Span(NOW, NOW + timedelta(1))


@pytest.mark.parametrize("edge", [datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)])
def test_the_end_of_the_calendar_is_the_end(edge: datetime) -> None:
    """There is no day before the first, nor after the last: spans stop there, and are the whole all the same."""
    for spans in (list(going_back(None, edge, NOW)), list(going_on(edge, None, NOW))[::-1]):
        assert (spans[0].until, spans[-1].since) in {(edge, None), (None, edge)}
        assert joined(spans[::-1])


def test_a_span_is_as_long_as_what_the_last_one_cost_allows() -> None:
    """Nothing found at once: four times as long; twice the aim: half as long; never more than four times at once."""
    paced = Paced(timedelta(92), first=timedelta(hours=4), aim=0.01)
    lengths = iter(paced)
    seen = [next(lengths)]
    for seconds in (0.0, 0.02, 3.0):
        paced.note(seconds)
        seen.append(next(lengths))
    assert seen == [timedelta(hours=hours) for hours in (4, 16, 8, 2)]
