"""Circuit breakers: the transitions, against a model that keeps the whole history."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.domain.breaker import (
    PROBES,
    SUCCESSES,
    BreakerPolicy,
    BreakerState,
    FailureCounts,
    Permit,
    asked,
    circuit_of,
    parts_of,
    probed,
    tripped,
)
from tests.support.clock import NOW

POLICY = BreakerPolicy(threshold=5, timeout=timedelta(seconds=30))
OPEN = tripped(None, NOW, POLICY, "answered 503")
LATER = NOW + POLICY.timeout


def test_nobody_is_let_through_before_its_time() -> None:
    """An open breaker refuses until the timeout has passed; then it lets three through, and no fourth."""
    assert asked(OPEN, LATER - timedelta(milliseconds=1), POLICY)[0] is Permit.REFUSED
    state: BreakerState | None = OPEN
    permits = []
    for _ in range(PROBES + 1):
        permit, state = asked(state, LATER, POLICY)
        permits.append(permit)
    assert permits == [Permit.PROBE] * PROBES + [Permit.REFUSED]


def test_three_successes_close_it_and_one_failure_opens_it_again() -> None:
    """For the whole timeout, with the reason of the new failure."""
    state: BreakerState | None = OPEN
    for _ in range(SUCCESSES):
        _, state = asked(state, LATER, POLICY)
    for _ in range(SUCCESSES - 1):
        state = probed(state, LATER, POLICY, None)
    assert state is not None
    assert not state.closed
    again = probed(state, LATER, POLICY, "answered 500")
    assert again == BreakerState(closed=False, until=LATER + POLICY.timeout, reason="answered 500")
    closed = probed(state, LATER, POLICY, None)
    assert closed is not None
    assert closed.closed
    assert asked(closed, LATER, POLICY)[0] is Permit.CLOSED


def test_a_probe_whose_worker_died_is_given_to_another() -> None:
    """After the timeout; until then nobody knows that it died."""
    state: BreakerState | None = OPEN
    for _ in range(PROBES):
        _, state = asked(state, LATER, POLICY)
    assert asked(state, LATER + POLICY.timeout, POLICY)[0] is Permit.REFUSED
    assert asked(state, LATER + POLICY.timeout + timedelta(seconds=1), POLICY)[0] is Permit.PROBE


def test_a_breaker_that_is_open_is_not_opened_anew() -> None:
    """Another worker that has counted its failures too does not put the probes off."""
    assert tripped(OPEN, NOW + timedelta(seconds=20), POLICY, "answered 500") == OPEN


@dataclass(slots=True)
class Model:
    """A breaker as one would tell it: since when it is open, how many probes went out, how many came back well."""

    now: datetime = NOW
    opened_at: datetime | None = None
    out: int = 0
    well: int = 0
    last: datetime = NOW

    def open(self) -> None:
        """Begin an open time."""
        self.opened_at, self.out, self.well = self.now, 0, 0

    def permit(self) -> Permit:
        """Say what who asks is told, and count a probe."""
        if self.opened_at is None:
            return Permit.CLOSED
        if self.out and self.now - self.last > POLICY.timeout:
            self.out = self.well  # those of which nothing was heard are given up
        if self.now < self.opened_at + POLICY.timeout or self.out >= PROBES:
            return Permit.REFUSED
        self.out, self.last = self.out + 1, self.now
        return Permit.PROBE

    def came_back(self, *, well: bool) -> None:
        """Note how a probe ended."""
        if not well:
            self.open()
            return
        self.well += 1
        if self.well >= SUCCESSES:
            self.opened_at = None


@given(st.lists(st.one_of(st.sampled_from(["ok", "fail", "trip", "lost"]), st.integers(0, 40)), max_size=60))
def test_it_follows_the_model(steps: list[str | int]) -> None:
    """Whatever happens: at most three probes a half-open time, closed by three successes, opened by any failure."""
    state: BreakerState | None = None
    model = Model()
    for step in steps:
        if isinstance(step, int):
            model.now += timedelta(seconds=step)
        elif step == "trip":
            state = tripped(state, model.now, POLICY, "x")
            if model.opened_at is None:
                model.open()
        else:
            permit, state = asked(state, model.now, POLICY)
            assert permit is model.permit()
            if permit is Permit.PROBE and step != "lost":
                state = probed(state, model.now, POLICY, None if step == "ok" else "x")
                model.came_back(well=step == "ok")
    assert (state is None or state.closed) is (model.opened_at is None)


def test_only_failures_in_a_row_count() -> None:
    """Four, a success, four more: it stays closed; the fifth in a row opens it, and counting begins anew."""
    counts = FailureCounts(5)
    assert not any(counts.failed("a") for _ in range(4))
    counts.succeeded("a")
    assert not any(counts.failed("a") for _ in range(4))
    assert not counts.failed("b")
    assert counts.failed("a")
    assert not counts.failed("a")


def test_counts_are_bounded() -> None:
    """Users name destinations: who fails once at each of a million costs no memory for it."""
    counts = FailureCounts(2, most=3)
    for name in "abcd":
        counts.failed(name)
    assert not counts.failed("a")
    assert counts.failed("d")


def test_a_circuit_is_its_destination_and_its_owner() -> None:
    """Whatever a destination is called, the two can be told apart again; what has no owner is its own name."""
    owner = UUID(int=7)
    for name in ("https://shop.example:443", "channel a for b", f"http://x for {UUID(int=8)}:80", "inbox"):
        assert parts_of(circuit_of(name, owner)) == (name, owner)
    assert parts_of("crm.example") == ("crm.example", None)
