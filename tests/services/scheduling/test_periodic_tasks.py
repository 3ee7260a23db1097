"""Periodic tasks: done at once, again after a while, and failures end nothing."""

import asyncio
from contextlib import suppress

from prometheus_client import REGISTRY

from app.services.scheduling.periodic_tasks import PeriodicTask, run_periodically
from tests.support.waiting import eventually


class Rounds:
    """A task's work that fails when told to.

    Attributes:
        done: How often it was begun.
        failing: Raise from now on.
    """

    def __init__(self) -> None:
        self.done = 0
        self.failing = False

    async def __call__(self) -> None:
        """Do it once."""
        self.done += 1
        if self.failing:
            raise ZeroDivisionError


def count(name: str, outcome: str) -> float:
    """Rounds counted."""
    return REGISTRY.get_sample_value("headrace_upkeep_rounds_total", {"chore": name, "outcome": outcome}) or 0.0


async def run_until(periodic: PeriodicTask, rounds: Rounds, done: int) -> None:
    """Keep it up until so many rounds were begun."""
    task = asyncio.create_task(run_periodically(periodic))
    await eventually(lambda: rounds.done >= done)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_task_is_done_at_once_and_again() -> None:
    """The first round does not wait; the next come after the pause."""
    rounds = Rounds()
    await run_until(PeriodicTask("at-once", rounds, every_s=0.01), rounds, 3)
    assert count("at-once", "good") >= 2


async def test_a_failed_round_is_counted_and_tried_again_sooner() -> None:
    """What a round raises ends nothing: it is counted, and the next comes after the shorter pause."""
    rounds = Rounds()
    rounds.failing = True
    await run_until(PeriodicTask("failing", rounds, every_s=3600, try_again_s=0.01), rounds, 3)
    assert count("failing", "failed") >= 2
    assert count("failing", "good") == 0


async def test_a_cancellation_that_a_round_loses_still_ends_the_chore() -> None:
    """A library may swallow it (wait_for on Python 3.11 does); the task ends all the same, and does not sleep."""
    begun = asyncio.Event()

    async def losing() -> None:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    task = asyncio.create_task(run_periodically(PeriodicTask("losing", losing, every_s=3600)))
    await begun.wait()
    task.cancel()
    await eventually(task.done, within=5, what="the task's end")
    assert task.cancelled()
