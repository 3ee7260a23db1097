"""The retry policy: waits and giving up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.retry import Failure, GiveUp, RetryPolicy, Wait, decide

POLICY = RetryPolicy()


def test_attempts_come_at_0_1_3_and_7_seconds() -> None:
    """With jitter off and attempts that fail at once, the backoffs are 1, 2 and 4 s."""
    waits = [decide(POLICY, Failure(attempts=n, spent=0), attempt_timeout=5) for n in (1, 2, 3)]
    assert waits == [Wait(1), Wait(2), Wait(4)]
    assert isinstance(decide(POLICY, Failure(attempts=4, spent=7), attempt_timeout=5), GiveUp)


def test_a_permanent_error_is_tried_once() -> None:
    """A 400 stays a 400."""
    assert isinstance(decide(POLICY, Failure(1, 0, permanent=True), attempt_timeout=5), GiveUp)


def test_retry_after_is_honoured_and_never_shortened() -> None:
    """The destination's own wish counts even against jitter."""
    assert decide(POLICY, Failure(1, 0, retry_after=9), attempt_timeout=5, jitter=1.0) == Wait(9, parked=True)
    assert decide(POLICY, Failure(1, 0, retry_after=3), attempt_timeout=5, jitter=1.0) == Wait(3)


def test_what_is_longer_than_the_hold_is_parked_and_costs_no_time() -> None:
    """A wait of an hour fits the 30 s of an execution, for it is not sat out; one attempt more must fit still."""
    assert decide(POLICY, Failure(1, 24, retry_after=3600), attempt_timeout=5) == Wait(3600, parked=True)
    assert isinstance(decide(POLICY, Failure(1, 26, retry_after=3600), attempt_timeout=5), GiveUp)
    assert isinstance(decide(POLICY, Failure(1, 24, retry_after=4), attempt_timeout=5), GiveUp)


def test_four_full_timeouts_still_fit_the_default_budget() -> None:
    """4 attempts of 5 s and 7 s of backoff are less than 30 s (docs/design.md#51-timeouts)."""
    assert decide(POLICY, Failure(3, 5 + 1 + 5 + 2 + 5), attempt_timeout=5) == Wait(4)


@given(
    st.integers(1, 20),
    st.floats(0, 100),
    st.floats(0, 1),
    st.one_of(st.none(), st.floats(0, 100)),
)
def test_no_wait_leads_past_the_budget(attempts: int, spent: float, jitter: float, after: float | None) -> None:
    """Whatever happened, an attempt that is allowed can end within the execution's time."""
    decision = decide(POLICY, Failure(attempts, spent, retry_after=after), attempt_timeout=5, jitter=jitter)
    if isinstance(decision, Wait):
        assert spent + (0 if decision.parked else decision.seconds) + 5 <= POLICY.budget
        assert decision.parked == (decision.seconds > POLICY.longest_hold)
        assert attempts <= POLICY.max_retries


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_jitter_only_shortens(jitter: float) -> None:
    """Jitter takes at most a tenth off a backoff."""
    decision = decide(POLICY, Failure(2, 0), attempt_timeout=5, jitter=jitter)
    assert isinstance(decision, Wait)
    assert 1.8 <= decision.seconds <= 2


@pytest.mark.parametrize("jitter", [0.0, 1.0])
def test_jitter_can_be_off(jitter: float) -> None:
    """With a share of nothing, chance takes nothing off."""
    assert decide(RetryPolicy(max_jitter=0), Failure(2, 0), attempt_timeout=5, jitter=jitter) == Wait(2)
