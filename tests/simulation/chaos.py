"""What goes wrong, and when: every choice of a run comes from its seed, through here."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

T = TypeVar("T")

# How often a call of Kafka, of Postgres or of the world outside goes wrong in one of the ways that it can.
_OFTEN: Final = 0.06
_STALL: Final = 0.02
_STALL_S: Final = 4.0
_USUAL_S: Final = 0.02


@dataclass(slots=True)
class Outage:
    """Something does not answer until a time."""

    until: float = 0.0


class Chaos:
    """The seed's choices.

    Args:
        seed: Says everything.

    Attributes:
        healed: Nothing goes wrong any more.
        over: The run has ended; what is left of it is cleared away.
        told: What happened, each with its time: the trace of the run.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.healed = False
        self.over = False
        self.told: list[str] = []
        self._waiting: list[asyncio.Future[None]] = []

    def tell(self, what: str) -> None:
        """Note what happened."""
        self.told.append(f"{asyncio.get_running_loop().time():9.3f} {what}")

    def happens(self, chance: float = _OFTEN) -> bool:
        """Whether something goes wrong now."""
        return self._random.random() < chance and not self.healed

    def between(self, least: float, most: float) -> float:
        """Return a number."""
        return self._random.uniform(least, most)

    def below(self, limit: int) -> int:
        """Return a whole number from 0."""
        return self._random.randrange(limit)

    def pick(self, one_of: Sequence[T]) -> T:
        """Return one of some."""
        return self._random.choice(one_of)

    async def never(self) -> None:
        """Return never; what waits here is kept until the run is over, lest the garbage collector runs its clean-up."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        await waiting

    async def delay(self) -> None:
        """Take as long as a call over the network takes: mostly little, sometimes seconds."""
        await asyncio.sleep(self.between(0, _STALL_S if self.happens(_STALL) else _USUAL_S))
