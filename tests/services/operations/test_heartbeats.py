"""The heartbeat of a process: written whatever Postgres does, and what it carries."""

import math
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge

from app.services.operations.figures import figures_of
from app.services.operations.heartbeats import HeartbeatWriter, beating, this_process
from tests.support.heartbeats import MemoryHeartbeats
from tests.support.waiting import eventually


def writer(store: MemoryHeartbeats, problems: dict[str, str] | None = None) -> HeartbeatWriter:
    """A sink's."""
    process = this_process("sink", "1", datetime.now(UTC))  # that has just started, whenever the test runs
    return HeartbeatWriter(store, process, problems=lambda: problems or {}, figures=lambda: {"a": 1.0})


async def test_a_process_says_that_it_lives_and_how_it_ends() -> None:
    """At once, and at its end."""
    store = MemoryHeartbeats()
    async with beating(writer(store, {"kafka": "x" * 1000})):
        await eventually(store.all, what="a heartbeat")
        (row,) = await store.all()
        assert (row.process.role, row.stopped, row.figures) == ("sink", False, {"a": 1.0})
        assert row.problems == {"kafka": "x" * 300}
    (row,) = await store.all()
    assert row.stopped


async def test_a_process_that_fails_ends_without_a_word() -> None:
    """Its start counts, for readiness and for the alert of one that starts again and again."""
    store = MemoryHeartbeats()

    async def dying() -> None:
        async with beating(writer(store)):
            await eventually(store.all, what="a heartbeat")
            raise RuntimeError("of what it dies")

    with pytest.raises(RuntimeError):
        await dying()
    (row,) = await store.all()
    assert (row.stopped, row.starts) == (False, 1)


async def test_nothing_waits_for_postgres() -> None:
    """While it is away nothing is written and nothing raised; how often the process was started is not known yet."""
    store = MemoryHeartbeats()
    store.reachable = False
    beats = writer(store)
    await beats.beat()
    assert beats.starts == 0
    await beats.end(orderly=True)
    store.reachable = True
    await beats.beat()
    assert beats.starts == 1


def test_figures_are_sums_over_labels() -> None:
    """Of the names that are asked for, without what is no number; others are not even collected."""
    registry = CollectorRegistry()
    letters = Counter("letters", "By reason", ["reason"], registry=registry)
    letters.labels("a").inc(2)
    letters.labels("b").inc()
    Gauge("age", "Unknown yet", registry=registry).set(math.nan)
    Gauge("dear", "Not asked for", registry=registry).set_function(lambda: pytest.fail("collected"))
    assert figures_of(registry, ("letters_total", "age", "absent")) == {"letters_total": 3.0}
