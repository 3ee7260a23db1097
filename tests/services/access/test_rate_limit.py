"""The token buckets, on a clock of the test's own."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.access.rate_limit import RateLimitedError, RateLimiter


def taken(limiter: RateLimiter, caller: str, times: int) -> int:
    """How many of so many requests at one moment are taken."""
    count = 0
    for _ in range(times):
        try:
            limiter.take(caller)
        except RateLimitedError:
            continue
        count += 1
    return count


def test_a_minute_holds_so_many_and_no_more() -> None:
    """A full bucket at first; then one more each sixtieth part of a minute, up to a full bucket again."""
    now = [0.0]
    limiter = RateLimiter(60, lambda: now[0])
    assert taken(limiter, "a", 100) == 60
    now[0] = 1.0
    assert taken(limiter, "a", 5) == 1
    now[0] = 1000.0
    assert taken(limiter, "a", 100) == 60


def test_callers_do_not_share_a_bucket() -> None:
    """One who asks too often takes nothing from another."""
    limiter = RateLimiter(3, lambda: 0.0)
    assert taken(limiter, "a", 10) == 3
    assert taken(limiter, "b", 10) == 3


def test_the_answer_says_when_to_come_back() -> None:
    """After the time it names, the next request is taken; a second before, it is not."""
    now = [0.0]
    limiter = RateLimiter(6, lambda: now[0])
    taken(limiter, "a", 6)
    with pytest.raises(RateLimitedError, match="6 requests a minute") as refused:
        limiter.take("a")
    assert refused.value.retry_after == 10
    now[0] = 9.0
    assert taken(limiter, "a", 1) == 0
    now[0] = 10.0
    assert taken(limiter, "a", 1) == 1


def test_zero_sets_no_limit() -> None:
    """And nobody is remembered."""
    limiter = RateLimiter(0, lambda: 0.0)
    assert (taken(limiter, "a", 1000), len(limiter)) == (1000, 0)


def test_memory_is_bounded() -> None:
    """However many callers come, only the last ones are remembered, and those are held to the limit."""
    limiter = RateLimiter(2, lambda: 0.0, most=10)
    for number in range(1000):
        limiter.take(str(number))
    assert len(limiter) == 10
    assert taken(limiter, "999", 5) == 1


@given(st.integers(1, 20), st.lists(st.floats(0, 30), max_size=60))
def test_no_minute_sees_more_than_two_buckets(per_minute: int, gaps: list[float]) -> None:
    """A bucket and its refill: within any minute at most twice the rate, whatever the pattern of requests."""
    now = [0.0]
    limiter = RateLimiter(per_minute, lambda: now[0])
    recent: deque[float] = deque()
    for gap in gaps:
        now[0] += gap
        recent.extend([now[0]] * taken(limiter, "a", 3))
        while recent and recent[0] <= now[0] - 60:
            recent.popleft()
        assert len(recent) <= 2 * per_minute
