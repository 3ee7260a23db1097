"""The time of day that all processes share: no process's own clock counts, whatever it says."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.errors import UnreachableError
from app.services.operations.shared_clock import SharedClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class World:
    """Postgres, a monotonic clock and a machine's own; tests turn all three.

    Attributes:
        seconds: What the monotonic clock shows.
        off: How far Postgres's clock is from noon and those seconds.
        wrong: How far the machine's is.
        took: Seconds that Postgres's answer is on its way.
        away: Postgres does not answer.
    """

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.off = self.wrong = timedelta()
        self.took = 0.0
        self.away = False
        self.clock = SharedClock(self, monotonic=lambda: self.seconds, own=lambda: self.true() + self.wrong)

    def true(self) -> datetime:
        """What time it is."""
        return NOON + timedelta(seconds=self.seconds - 1000)

    async def now(self) -> datetime:
        """Answer as Postgres does; implements ``app.ports.shared_time.SharedTime``."""
        if self.away:
            raise UnreachableError("Postgres does not answer (told so by the test)")
        told = self.true() + self.off
        self.seconds += self.took
        return told


@pytest.mark.parametrize("wrong", [-HOUR, timedelta(), HOUR])
async def test_it_is_postgres_s_time_whatever_the_machine_says(wrong: timedelta) -> None:
    """An hour ahead or behind, at the start or all at once."""
    world = World()
    world.wrong = wrong
    await world.clock.look()
    assert world.clock.now() == NOON
    world.wrong, world.seconds = -wrong, world.seconds + 5
    assert world.clock.now() == NOON + timedelta(seconds=5)


async def test_it_goes_on_while_postgres_is_away() -> None:
    """By a clock that nobody sets."""
    world = World()
    await world.clock.look()
    world.away, world.wrong, world.seconds = True, HOUR, world.seconds + 600
    with pytest.raises(UnreachableError):
        await world.clock.look()
    assert world.clock.now() == NOON + timedelta(minutes=10)


async def test_what_is_known_better_stays() -> None:
    """An answer of ten seconds says no more than that: the time neither jumps by it nor goes back."""
    world = World()
    await world.clock.look()
    world.took = 10
    await world.clock.look()
    assert world.clock.now() == world.true()


async def test_where_postgres_s_clock_is_set_all_follow() -> None:
    """They share it, right or wrong."""
    world = World()
    await world.clock.look()
    world.off = HOUR
    await world.clock.look()
    assert world.clock.now() == NOON + HOUR


async def test_a_machine_that_is_off_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """And that it is right again."""
    world = World()
    with caplog.at_level(logging.WARNING):
        for wrong in (timedelta(seconds=30), HOUR, HOUR, timedelta()):
            world.wrong = wrong
            await world.clock.look()
    said = [(record.__dict__["clock"], record.__dict__["off_s"]) for record in caplog.records]
    assert said == [("wrong", 3600), ("right", 0)]
