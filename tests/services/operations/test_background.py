"""Background tasks: none ends unseen, none stays ended."""

import asyncio
from contextlib import suppress

import pytest
from prometheus_client import REGISTRY

from app.domain.errors import UnreachableError
from app.services.operations.background import (
    FAILING_FOR_S,
    Failures,
    end_all,
    keep_running,
    running_beside,
)
from tests.support.waiting import eventually, in_time


class Lives:
    """A task whose lives end as they are told to; the last one goes on."""

    def __init__(self, *ends: BaseException | None) -> None:
        self._ends = list(ends)
        self.begun = 0
        self.pauses: list[float] = []

    async def __call__(self) -> None:
        """Live once."""
        self.begun += 1
        if not self._ends:
            await asyncio.Event().wait()
        end = self._ends.pop(0)
        if end is not None:
            raise end

    async def pause(self, seconds: float) -> None:
        """Note a pause instead of making it."""
        self.pauses.append(seconds)


def counted(task: str) -> float:
    """Failures of a task counted so far."""
    return REGISTRY.get_sample_value("headrace_background_failures_total", {"task": task}) or 0.0


def gauge(task: str) -> float | None:
    """Whether a task counts as failing."""
    return REGISTRY.get_sample_value("headrace_background_failing", {"task": task})


async def run(name: str, lives: Lives, begun: int, failures: Failures) -> None:
    """Keep it running until so many lives have begun."""
    task = asyncio.create_task(keep_running(name, lives, failures=failures, sleep=lives.pause))
    await eventually(lambda: lives.begun >= begun)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    "end", [ZeroDivisionError(), asyncio.CancelledError(), None], ids=["raises", "loses", "returns"]
)
async def test_however_a_task_ends_it_is_counted_and_started_again(
    end: BaseException | None, caplog: pytest.LogCaptureFixture
) -> None:
    """An error, a cancellation that is not its own, a mere return: logged with its traceback, counted, started anew."""
    before = counted("mortal")
    lives, failures = Lives(end), Failures()
    await run("mortal", lives, 2, failures)
    assert counted("mortal") == before + 1
    assert list(failures.failing()) == ["mortal"]
    (logged,) = caplog.records
    assert logged.exc_info is not None


async def test_an_outage_is_no_failure_of_the_task(caplog: pytest.LogCaptureFixture) -> None:
    """It is said, without a traceback, and the task starts anew: what is away is asked for by itself."""
    before = counted("outlived")
    lives, failures = Lives(UnreachableError("Postgres does not answer")), Failures()
    await run("outlived", lives, 2, failures)
    assert (counted("outlived"), failures.failing()) == (before, {})
    (logged,) = caplog.records
    assert (logged.levelname, logged.exc_info) == ("WARNING", None)


async def test_it_waits_longer_each_time() -> None:
    """A task that cannot live does not keep the process busy with it."""
    lives = Lives(*(ZeroDivisionError() for _ in range(12)))
    await run("hopeless", lives, 13, Failures())
    assert lives.pauses[:4] == [0.2, 0.4, 0.8, 1.6]
    assert max(lives.pauses) == lives.pauses[-1] == 30.0


async def test_who_ends_it_ends_it() -> None:
    """Cancelled with its block, it is not started again and counts no failure."""
    lives, before = Lives(), counted("ended")
    async with running_beside("ended", lives):
        await eventually(lambda: lives.begun)
    assert (lives.begun, counted("ended")) == (1, before)


def test_a_failure_is_seen_for_a_minute() -> None:
    """Readiness and the gauge see it from the failure on, and forget it when nothing has failed for a minute."""
    now = 1000.0
    failures = Failures(lambda: now)
    failures.note("seen", ZeroDivisionError("quotes a secret"))
    failures.note("ours", UnreachableError("Kafka does not answer"))
    assert failures.failing() == {"seen": "ZeroDivisionError", "ours": "Kafka does not answer"}
    assert gauge("seen") == 1
    now += FAILING_FOR_S - 1
    assert gauge("seen") == 1
    now += 1
    assert (failures.failing(), gauge("seen")) == ({}, 0)


async def test_a_task_that_loses_a_cancellation_ends_all_the_same() -> None:
    """Python 3.11's wait_for may swallow one; a process that is told to end must not hang for it."""
    lost: list[str] = []

    async def stubborn() -> None:
        while not lost:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            lost.append("a cancellation")
        await asyncio.Event().wait()

    task = asyncio.create_task(keep_running("stubborn", stubborn))
    await asyncio.sleep(0)
    await in_time(end_all((task,)), 30, what="the end of the task")
    assert lost
    assert task.cancelled()
