"""What may wait unfinished in a worker, and which partition is paused past it."""

from hypothesis import given
from hypothesis import strategies as st

from app.adapters.kafka.budget import Budget

PARTITIONS = 10


def budget() -> Budget:
    """1,000 bytes: 500 are shared, each of ten partitions has 50 of its own."""
    return Budget(1000, most_records=100)


def paused(one: Budget, **held: int) -> set[str]:
    """What is paused when the partitions hold so many bytes."""
    one.review({tp: (size, 1) for tp, size in held.items()}, PARTITIONS)
    return set(one.paused)


def test_the_partition_that_holds_most_is_paused_and_no_other() -> None:
    """What another holds beyond its own part is no reason to pause it while one holds far more."""
    one = budget()
    assert paused(one, hot=540, other=60) == set()
    assert paused(one, hot=560, other=60) == {"hot"}
    assert one.pauses == 1


def test_the_others_keep_their_part() -> None:
    """However full it is, a partition within its own part is never paused."""
    one = budget()
    assert paused(one, hot=5000, a=50, b=50) == {"hot"}
    assert paused(one, hot=5000, a=51, b=50) == {"hot", "a"}
    assert paused(one, hot=5000, a=49, b=50) == {"hot"}


def test_a_paused_partition_goes_on_when_much_less_is_held() -> None:
    """Not at the first byte below the bound, or it would be paused again with the next fetch."""
    one = budget()
    assert paused(one, hot=551) == {"hot"}
    assert paused(one, hot=549) == {"hot"}
    assert paused(one, hot=426) == {"hot"}
    assert paused(one, hot=425) == set()
    assert paused(one, hot=549) == set()


def test_equals_are_paused_together() -> None:
    """Where nobody stands out, all that are over their part are."""
    assert paused(budget(), a=200, b=210, c=205, d=190) == {"a", "b", "c", "d"}


def test_many_small_records_are_bounded_too() -> None:
    """By their number: each of them comes again after a crash."""
    one = budget()
    one.review({"a": (1, 100), "b": (1, 3)}, PARTITIONS)
    assert one.paused == frozenset()
    one.review({"a": (1, 101), "b": (1, 3)}, PARTITIONS)
    assert one.paused == {"a"}
    one.review({"a": (1, 76), "b": (1, 3)}, PARTITIONS)
    assert one.paused == {"a"}
    one.review({"a": (1, 75), "b": (1, 3)}, PARTITIONS)
    assert one.paused == frozenset()


def test_partitions_given_up_are_forgotten() -> None:
    """A new assignment begins unpaused."""
    one = budget()
    paused(one, hot=5000)
    one.forget()
    assert one.paused == frozenset()


@given(st.lists(st.lists(st.integers(0, 40), min_size=PARTITIONS, max_size=PARTITIONS), min_size=1, max_size=200))
def test_whatever_comes_and_nothing_ends_the_total_stays_bounded(fetches: list[list[int]]) -> None:
    """Unpaused partitions fetch, nothing is finished: the total passes the budget by a few fetches at most."""
    one, held = budget(), dict.fromkeys(range(PARTITIONS), 0)
    for fetch in fetches:
        for tp, size in enumerate(fetch):
            if tp not in one.paused:
                held[tp] += size
        one.review({tp: (size, 0) for tp, size in held.items()}, PARTITIONS)
    assert sum(held.values()) <= 1000 + 5 * 40 * PARTITIONS


@given(st.lists(st.integers(0, 2000), min_size=PARTITIONS, max_size=PARTITIONS))
def test_what_is_paused_goes_on_when_it_has_been_worked_off(sizes: list[int]) -> None:
    """From any state: with nothing held, nothing is paused."""
    one = budget()
    one.review({tp: (size, size) for tp, size in enumerate(sizes)}, PARTITIONS)
    one.review(dict.fromkeys(range(PARTITIONS), (0, 0)), PARTITIONS)
    assert one.paused == frozenset()
