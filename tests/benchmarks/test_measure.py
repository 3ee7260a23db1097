"""How the bench counts."""

import random
from uuid import UUID

import orjson

from tests.benchmarks.ceiling_job import log_line, read_job
from tests.benchmarks.load import make_event
from tests.benchmarks.measure import Sent, percentile
from tests.benchmarks.report import figures, tables
from tests.benchmarks.turn import Outcome, Step
from tests.benchmarks.usage import Cost
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


def test_what_calm_costs_leaves_out_who_is_not_ours() -> None:
    """At 50/s the contender's own processes count, brought to 15 s; with Kafka and Postgres in a figure of its own."""
    cpu = {"sink-1": 1.0, "kafka": 2.0, "postgres": 3.0, "receiver": 9.0}
    steps = [Step(50, 8, 20, 0, cpu, seconds=30.0), Step(200, 9, 30, 0, cpu, seconds=15.0)]
    idle = {"sink-1": 0.01, "kafka": 0.02, "receiver": 0.5}
    drained = {name: Cost(seconds, 80.0) for name, seconds in cpu.items()}
    found = figures({"headrace": [Outcome(100.0, 1_000_000, drained, idle, steps)]})
    assert (found["cpu_s_per_15s_at_50"], found["cpu_s_per_15s_at_50_all"]) == (0.5, 3.0)
    assert (found["idle_cpu_share"], found["idle_cpu_share_all"]) == (0.01, 0.03)
    assert (found["p50_ms_at_50"], found["p50_ms_at_200"], found["ceiling_p50_ms_at_50"]) == (8, 9, None)
    assert found["cpu_us_per_execution"] == 6.0
    assert "CPU s in 15 s at 50/s, own" in tables(found)
