"""Spans of time: together they are what was asked for, without a gap, the nearest end first."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.spans import FINE, STEPS, Span, going_back, going_on

NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
MOMENTS = st.none() | st.integers(-100 * 24, 10 * 24).map(lambda hours: NOW + timedelta(hours=hours))


def joined(spans: list[Span]) -> bool:
    """Whether each begins where the one before ends."""
    return all(one.until == other.since for one, other in pairwise(spans))


@given(since=MOMENTS, until=MOMENTS, steps=st.sampled_from([STEPS, FINE]))
def test_spans_back_are_the_whole_without_a_gap(
    since: datetime | None, until: datetime | None, steps: tuple[timedelta, ...]
) -> None:
    """From the end that was asked for to the beginning, whatever they are."""
    spans = list(going_back(since, until, NOW, steps))
    assert (spans[0].until, spans[-1].since) == (until, since)
    assert joined(spans[::-1])


@given(since=MOMENTS, until=MOMENTS, steps=st.sampled_from([STEPS, FINE]))
def test_spans_on_are_the_whole_without_a_gap(
    since: datetime | None, until: datetime | None, steps: tuple[timedelta, ...]
) -> None:
    """From the beginning that was asked for to the end."""
    spans = list(going_on(since, until, NOW - timedelta(92), steps))
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
