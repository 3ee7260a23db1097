"""Snapshots and places: read back as written, and nothing else read."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.snapshots import Place, Snapshot

SNAPSHOTS = st.builds(
    lambda first, running: Snapshot(first, first + 50, frozenset(first + one for one in running)),
    st.integers(1, 2**40),
    st.sets(st.integers(0, 49)),
)
MARKS = st.tuples(st.integers(0, 2**40), st.integers(0, 2**40), st.integers(0, 500))
BROKEN: Final = [
    "",
    "x",
    "1",
    "1~",
    "1~5:4:",
    "1~4:5:9",
    "1~4:9:6,5",
    "1~0:1:",
    "1~4:5:~4:6:",
    "9~1:1:~1:1:~1.1",
    "1~1:1: ",
]


@given(seen=SNAPSHOTS, upto=SNAPSHOTS, mark=MARKS)
def test_a_place_is_read_back(seen: Snapshot, upto: Snapshot, mark: tuple[int, int, int]) -> None:
    """In both forms, as text that fits a header line."""
    for place in (Place(7, seen), Place(7, seen, upto, mark)):
        text = str(place)
        assert Place.read(text) == place
        assert text.isprintable()


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_no_place_is_none(text: str) -> None:
    """An id of another server, or one that somebody made up."""
    assert Place.read(text) is None


@given(snapshot=SNAPSHOTS, transaction=st.integers(0, 2**41))
def test_what_is_running_or_to_come_is_not_seen(snapshot: Snapshot, transaction: int) -> None:
    """As Postgres says it."""
    hidden = transaction in snapshot.running or transaction >= snapshot.end
    assert snapshot.sees(transaction) is not hidden
