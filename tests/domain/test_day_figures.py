"""The figures of a day: of all, by the hour, and what is said where not every execution was looked at."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from app.domain.day_figures import HOURS, figures_of

STATUSES = ("success", "partial", "failed", "skipped", "stopped", "blocked", "timed_out")


@dataclass(frozen=True)
class Alike:
    """Executions that ended alike."""

    hour: int = 0
    status: str = "success"
    count: float = 1
    ms: float | None = 10
    failed_steps: float = 0
    is_counted: bool = True


def test_a_day_without_executions_has_no_rate_and_no_times() -> None:
    """Nought executions; what nothing has is None, in all and in each hour."""
    found = figures_of([])
    assert (found.executions.value, found.success_rate.value, found.p99_ms.value) == (0, None, None)
    assert list(found.success_rate.line) == [None] * HOURS


def test_what_did_not_run_is_counted_apart() -> None:
    """Skipped and blocked are neither executions nor failures; stopped is as the workflow says, so no failure."""
    rows = [
        Alike(status="skipped", count=5, ms=None),
        Alike(status="blocked", count=1, ms=None),
        Alike(status="stopped"),
    ]
    found = figures_of([*rows, Alike(status="failed", failed_steps=2)])
    assert (found.executions.value, found.passed_over, found.success_rate.value) == (2, 6, 0.5)
    assert found.failed_actions.value == 2


def test_hours_are_apart() -> None:
    """Each hour's figure is its own."""
    found = figures_of([Alike(hour=3, ms=100, count=9), Alike(hour=23, ms=900)])
    assert [found.median_ms.line[hour] for hour in (3, 4, 23)] == [100, None, 900]
    assert (found.median_ms.value, found.p99_ms.value) == (100, 900)


def test_what_was_not_all_looked_at_is_said_to_be_about() -> None:
    """The number is exact all the same: it was counted."""
    found = figures_of([Alike(count=5000, is_counted=False)])
    assert (found.executions.value, found.executions.about, found.success_rate.about) == (5000, False, True)


@given(st.lists(st.tuples(st.integers(0, 23), st.sampled_from(STATUSES), st.integers(0, 10**6)), max_size=60))
def test_counted_figures_are_those_of_the_rows_themselves(drawn: list[tuple[int, str, int]]) -> None:
    """Median and p99 are the times that so many took at most, whatever the rows."""
    found = figures_of([Alike(hour, status, ms=float(ms)) for hour, status, ms in drawn])
    ran = sorted(ms for _, status, ms in drawn if status not in {"skipped", "blocked"})
    assert found.executions.value == len(ran)
    if ran:
        assert found.median_ms.value == ran[(len(ran) + 1) // 2 - 1]
        assert found.p99_ms.value == ran[-(-99 * len(ran) // 100) - 1]
    assert sum(value or 0 for value in found.executions.line) == len(ran)
