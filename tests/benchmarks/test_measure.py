"""How the bench counts."""

import random
from uuid import UUID

import orjson

from tests.benchmarks.ceiling_job import log_line, read_job
from tests.benchmarks.load import make_event
from tests.benchmarks.measure import Sent, percentile
from tests.benchmarks.turn import Outcome, Step
from tests.support.clock import NOW

WORKFLOW = UUID(int=7)


def test_percentiles_are_nearest_rank() -> None:
    """The p99 of 1..100 is 99, the p50 is 50, and of one value it is that value."""
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile(range(1, 101), 0.5) == 50
    assert percentile([3.0], 0.99) == 3.0


def test_an_event_is_due_by_the_clock() -> None:
    """Latency counts from when an event should have been sent, however late it was."""
    assert [Sent("r", 3, 200.0, 10.0).due(seq) for seq in range(3)] == [10.0, 10.005, 10.01]
    assert Sent("r", 3, 0.0, 10.0).due(2) == 10.0


def test_the_highest_rate_is_one_that_passed() -> None:
    """A rate whose p99 is a second or more does not count, nor does one with rows that never came."""
    outcome = Outcome(steps=[Step(200, 5, 900, 0), Step(400, 5, 1000, 0), Step(300, 5, float("inf"), 0)])
    assert outcome.open_loop_max_per_s == 200


def test_the_ceiling_does_the_same_job() -> None:
    """Every event of the load meets both conditions, is expected under the id the bench asks for, and logs in full."""
    _key, value = make_event("run", 5, random.Random(1))
    job = read_job(WORKFLOW, value, NOW)
    assert job is not None
    assert job.met
    assert job.execution_id == Sent("run", 6, 0.0, 0.0).ids(WORKFLOW)[5]
    assert orjson.loads(log_line(WORKFLOW, job, NOW).split(b"\t")[2]) == orjson.loads(value)
