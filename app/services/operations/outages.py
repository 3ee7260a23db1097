"""How an outage of Kafka or Postgres is waited out, so that it needs no manual step, and said: once each way."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
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


class Outage:
    """What this process knows of something that may be away; it is said once when it goes and once when it is back.

    Several that need it may find it away at the same time: it is back when all who wait for it were served.

    Args:
        what: Its name, in the log's field ``outage``.
        logger: The caller's logger.
        clock: Seconds, monotonic.
        say: Makes of an error what may stand in the log.
        passing: Tells an error that is over with the next try, such as a deadlock: it is said, and is no outage.
    """

    def __init__(
        self,
        what: str,
        logger: logging.Logger,
        *,
        clock: Callable[[], float] = time.monotonic,
        say: Callable[[Exception], str] = str,
        passing: Callable[[Exception], bool] = lambda _: False,
    ) -> None:
        self.what = what
        self._logger = logger
        self._clock = clock
        self._say = say
        self._passing = passing
        self._since: float | None = None
        self._back: float | None = None
        self._failures = 0
        self._waiting = 0

    @property
    def lasts(self) -> bool:
        """Whether it is away now."""
        return self._since is not None

    def failed(self, error: Exception) -> None:
        """Note that it did not serve; the first time is said."""
        if self._passing(error):
            self._logger.warning(
                "%s: tried again", self.what, extra={"tried_again": self.what, "why": self._say(error)}
            )
            return
        self._failures += 1
        self._back = None
        if self._since is None:
            self._since = self._clock()
            self._logger.warning("%s is away", self.what, extra={"outage": self.what, "why": self._say(error)})

    def served(self) -> None:
        """Note that it serves; said if it did not, and nobody waits for it any more."""
        if self._since is None:
            return
        if self._back is None:
            self._back = self._clock()
        if self._waiting == 0:
            away = round(self._back - self._since, 1)
            said = {"outage": self.what, "away_s": away, "failures": self._failures}
            self._since, self._back, self._failures = None, None, 0
            self._logger.warning("%s serves again", self.what, extra=said)

    def wait_begins(self) -> None:
        """Note somebody who waits for it; it is not said to be back before them."""
        self._waiting += 1

    def wait_ends(self) -> None:
        """Note that somebody waits no longer: was served, or gave up."""
        self._waiting -= 1


@contextmanager
def said_to_lead(what: str, logger: logging.Logger, clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Say that this process leads for as long as the block runs, and how long it did where that ends by an error."""
    began = clock()
    logger.info("%s: this process leads", what, extra={"duty": what})
    try:
        yield
    except Exception as error:
        led = {"duty": what, "led_s": round(clock() - began, 1), "why": str(error)}
        logger.warning("%s: this process leads no more", what, extra=led)
        raise


def is_unreachable(error: Exception) -> bool:
    """Tell whether an error is an outage, as our own code says it."""
    return isinstance(error, UnreachableError)


async def until_served(
    run: Callable[[], Awaitable[T]],
    pauses: Pauses,
    *,
    outage: Outage,
    limit_s: float,
    is_outage: Callable[[Exception], bool] = is_unreachable,
) -> T:
    """Run something again until it is carried out, which may be more than once: it must be safe to repeat.

    Args:
        run: Makes one try.
        pauses: The pauses between two tries.
        outage: Of what it needs.
        limit_s: Seconds of trying after which the outage's error is raised after all.
        is_outage: Tells what is worth waiting for from what is raised at once.
    """
    try:
        done = await run()
    except Exception as error:
        if not is_outage(error) or limit_s < 0:
            raise
        outage.failed(error)
    else:
        outage.served()
        return done
    outage.wait_begins()
    try:
        done = await _again(run, pauses, outage, time.monotonic() + limit_s, is_outage)
    finally:
        outage.wait_ends()
    outage.served()
    return done


async def _again(
    run: Callable[[], Awaitable[T]],
    pauses: Pauses,
    outage: Outage,
    until: float,
    is_outage: Callable[[Exception], bool],
) -> T:
    while True:
        await pauses.wait()
        try:
            return await run()
        except Exception as error:
            if not is_outage(error) or time.monotonic() > until:
                raise
            outage.failed(error)


async def serve_for_ever(outage: Outage, serve: Callable[[], Awaitable[None]], pauses: Pauses) -> None:
    """Serve until cancelled, again after each outage; what ends by itself begins again after a pause too.

    Args:
        outage: Of what serves. Where ``serve`` has no end it says itself that it serves.
        serve: Serves until something is away.
        pauses: The pauses between two tries.
    """
    while True:
        try:
            await serve()
        except UnreachableError as error:
            outage.failed(error)
        else:
            outage.served()
        await pauses.wait()
