"""The judge finds what is lost, twice and out of order, and tells what is marked from what is not."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.faults.job import Job
from tests.faults.judge import Verdict, judge_endings, judge_order, judge_outside, judge_recovery, judge_rows
from tests.support.waiting import eventually
from tests.support.worker_process import WorkerProcess

Row = tuple[UUID, str, list[dict[str, object]], float]


@pytest.fixture
def job() -> Job:
    """A hundred events of ten customers."""
    job = Job("j", 100, 10)
    job.ids["order.paid"] = {name: uuid4() for name in job.names}
    return job


@pytest.fixture
def verdict() -> Verdict:
    """Nothing found yet."""
    return Verdict("x", 1)


def rows_of(job: Job) -> list[Row]:
    """Return the rows that must be there."""
    return [(execution, status, [], 0.5) for execution, _, _, status in job.expected()]


def test_what_is_as_it_must_be_is_good(job: Job, verdict: Verdict) -> None:
    """Every execution has its row, every effect happened once, in order."""
    judge_rows(verdict, job, rows_of(job))
    judge_outside(verdict, job.effects("big"), [str(command) for command in job.effects("big")], set())
    judge_order(verdict, [("a", 1), ("b", 1), ("a", 2)])
    assert verdict.good
    assert (verdict.expected, verdict.rows, verdict.slowest_s) == (300, 300, 0.5)


def test_a_row_that_is_missing_is_lost(job: Job, verdict: Verdict) -> None:
    """Each of them."""
    judge_rows(verdict, job, rows_of(job)[2:])
    assert (verdict.lost, verdict.duplicated_unmarked, verdict.good) == (2, 0, False)


def test_a_row_too_many_is_twice(job: Job, verdict: Verdict) -> None:
    """Of an expected execution, and of one that nobody expected."""
    rows = rows_of(job)
    judge_rows(verdict, job, [*rows, rows[0], (uuid4(), "success", [], 0.1)])
    assert (verdict.lost, verdict.duplicated_unmarked) == (0, 2)


def test_a_row_with_another_status_is_wrong(job: Job, verdict: Verdict) -> None:
    """It is there, and still not what must have come of the event."""
    rows = rows_of(job)
    judge_rows(verdict, job, [(rows[0][0], "failed", [], 0.1), *rows[1:]])
    assert len(verdict.wrong) == 1
    assert not verdict.good


def test_an_effect_that_never_arrived_is_lost(job: Job, verdict: Verdict) -> None:
    """Though its row says success."""
    effects = job.effects("big")
    judge_outside(verdict, effects, [str(command) for command in list(effects)[1:]], set())
    assert (verdict.lost, verdict.duplicated_unmarked) == (1, 0)


def test_an_effect_twice_is_good_only_where_it_is_marked(job: Job, verdict: Verdict) -> None:
    """By the row of its own execution, for the very step."""
    effects = job.effects("big")
    first, second, third = list(effects)[:3]
    keys = [str(command) for command in [*effects, first, second, second, third]]
    judge_outside(verdict, effects, keys, {(effects[second][0], 0), (effects[third][0], 1)})
    assert (verdict.duplicated_marked, verdict.duplicated_unmarked) == (2, 2)


def test_an_effect_that_nobody_asked_for_is_one_too_many(job: Job, verdict: Verdict) -> None:
    """Of no command that is expected."""
    effects = job.effects("big")
    judge_outside(verdict, effects, [str(command) for command in [*effects, uuid4()]], set())
    assert verdict.duplicated_unmarked == 1


@pytest.mark.parametrize(
    ("deliveries", "disordered"),
    [
        ([("a", 1), ("a", 3), ("a", 2)], 1),
        ([("a", 1), ("a", 2), ("a", 1)], 0),
        ([("a", 2), ("b", 1), ("b", 0), ("a", 1)], 2),
    ],
    ids=["overtaken", "a repeat is no disorder", "each entity counts once"],
)
def test_order_is_that_of_first_deliveries(
    verdict: Verdict, deliveries: list[tuple[str, int]], disordered: int
) -> None:
    """By entity."""
    judge_order(verdict, deliveries)
    assert verdict.disordered == disordered
    unpromised = replace(verdict, ordered=False, disordered=0, wrong=[])
    judge_order(unpromised, deliveries)
    assert (unpromised.disordered, unpromised.good) == (disordered, True)


def test_what_recovers_too_late_is_wrong(verdict: Verdict) -> None:
    """However much it has done in the end."""
    verdict.recovery_s = 60.0
    judge_recovery(verdict, 60.0)
    assert verdict.good
    verdict.recovery_s = 60.1
    judge_recovery(verdict, 60.0)
    assert verdict.wrong == ["recovered after 60.1 s, not within 60 s"]


async def test_a_process_that_ended_by_itself_is_wrong(verdict: Verdict, tmp_path: Path) -> None:
    """Whatever it left behind; one that still runs is not."""
    runs, ends = (
        WorkerProcess(statement, "1", {}, tmp_path, module="timeit")
        for statement in ("__import__('time').sleep(600)", "raise SystemExit(75)")
    )
    runs.start()
    ends.start()
    try:
        await eventually(lambda: ends.pid is None, what="the end")
        judge_endings(verdict, [runs])
        assert verdict.good
        judge_endings(verdict, [runs, ends])
    finally:
        runs.kill()
    assert not verdict.good
    assert verdict.wrong == [f"{ends.name} has ended by itself with 1: SystemExit: 75"]
