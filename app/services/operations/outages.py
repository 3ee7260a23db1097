"""How an outage of Kafka or Postgres is waited out, so that it needs no manual step."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from app.domain.errors import UnreachableError

T = TypeVar("T")


@dataclass(slots=True)
class Pauses:
    """The pauses between tries: each twice as long as the one before, up to a longest.

    Attributes:
        first_s: Seconds of the first.
        longest_s: Seconds of the longest.
        next_s: Seconds of the next one.
    """

    first_s: float
    longest_s: float
    next_s: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the first."""
        self.reset()

    def reset(self) -> None:
        """Begin with the first again: what was away serves."""
        self.next_s = self.first_s

    async def wait(self) -> None:
        """Sit the next one out."""
        pause, self.next_s = self.next_s, min(self.next_s * 2, self.longest_s)
        await asyncio.sleep(pause)


def same_pauses(seconds: float) -> Pauses:
    """Return pauses that do not grow."""
    return Pauses(seconds, seconds)


def is_unreachable(error: Exception) -> bool:
    """Tell whether an error is an outage, as our own code says it."""
    return isinstance(error, UnreachableError)


async def until_served(
    run: Callable[[], Awaitable[T]],
    pauses: Pauses,
    *,
    note: Callable[[Exception], None],
    limit_s: float,
    is_outage: Callable[[Exception], bool] = is_unreachable,
) -> T:
    """Run something again until it is carried out, which may be more than once: it must be safe to repeat.

    Args:
        run: Makes one try.
        pauses: The pauses between two tries.
        note: Told of each outage that is waited out.
        limit_s: Seconds of trying after which the outage's error is raised after all.
        is_outage: Tells what is worth waiting for from what is raised at once.
    """
    until = time.monotonic() + limit_s
    while True:
        try:
            return await run()
        except Exception as error:
            if not is_outage(error) or time.monotonic() > until:
                raise
            note(error)
        await pauses.wait()


async def serve_for_ever(
    what: str, serve: Callable[[], Awaitable[None]], pauses: Pauses, logger: logging.Logger
) -> None:
    """Serve until cancelled, again after each outage; what ends by itself begins again after a pause too.

    Args:
        what: What serves: its name, for the log.
        serve: Serves until something is away.
        pauses: The pauses between two tries.
        logger: The caller's logger.
    """
    while True:
        try:
            await serve()
        except UnreachableError as error:
            logger.warning("%s: %s; next try in %.1f s", what, error, pauses.next_s)
        await pauses.wait()
