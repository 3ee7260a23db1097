"""A worker's readiness goes by the watchdog's rule, in shorter times."""

from types import SimpleNamespace

import pytest

from app.adapters.kafka.consumer_health import ConsumerHealth
from app.adapters.kafka.stall import Reading
from app.domain.errors import NotReadyError


class Consumer:
    """A consumer that is behind and stands still."""

    async def reading(self) -> Reading:
        """Behind, and always at the same place."""
        return Reading({"work-0": 4}, {"work-0": 10})


class World:
    """Its probes, and the clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.health = ConsumerHealth(SimpleNamespace(consumer=Consumer()), lambda: self.now)

    async def look(self, *moments: float) -> None:
        """Ask at each of these moments, and then whether records get finished."""
        for self.now in moments:
            await self.health.kafka()
        await self.health.frontier()


async def test_a_consumer_that_stands_still_is_not_ready() -> None:
    """After half a minute; and why."""
    world = World()
    await world.look(0, 5, 10, 15, 20, 25, 30)
    with pytest.raises(NotReadyError, match="has not moved for 35 s"):
        await world.look(35)


async def test_time_in_which_the_process_stood_still_does_not_count() -> None:
    """It thaws after ten minutes and is ready; where nothing moves afterwards, half a minute later no more."""
    world = World()
    await world.look(0, 5, 605, 610, 625, 635)
    with pytest.raises(NotReadyError, match="has not moved for 31 s"):
        await world.look(636)
