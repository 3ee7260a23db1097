"""The time of day by which moments are compared that several processes write: Postgres's.

The clocks of two machines differ, and each may jump. A wait that one process begins by its own and another ends by
its own is an hour too long, or none at all. So each asks Postgres every few seconds, and goes on in between by a clock
that no administrator sets.
"""

import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from app.domain.clock import utc_now
from app.domain.times import EPOCH
from app.metrics.clock import CLOCK_OFF
from app.ports.shared_time import SharedTime
from app.services.operations.background import running_beside
from app.services.operations.outages import Outage, same_pauses, serve_for_ever, until_served

EVERY_S: Final = 5.0
_OFF: Final = timedelta(seconds=60)
_BEGINS_WITHIN_S: Final = 300.0

log = logging.getLogger(__name__)


class SharedClock:
    """Postgres's time, as this process carries it on.

    Args:
        store: Knows it.
        monotonic: Seconds of a clock that only goes forward.
        own: This machine's time of day, which is only compared: one that is a minute off is said.
    """

    def __init__(
        self,
        store: SharedTime,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        own: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._monotonic = monotonic
        self._own = own
        # Seconds since 1970 where the monotonic clock shows none.
        self._began: float | None = None
        self._outage = Outage("time of day of Postgres", log)
        self._is_off = False

    def now(self) -> datetime:
        """Return the time; it has to have been looked at."""
        assert self._began is not None, "nobody has asked what time it is"
        return EPOCH + timedelta(seconds=self._began + self._monotonic())

    async def look(self) -> None:
        """Ask. An answer is as old as its question at most, and what is within that stays as it is.

        Raises:
            UnreachableError: Postgres does not answer.
        """
        asked = self._monotonic()
        told = (await self._store.now() - EPOCH).total_seconds()
        earliest, latest = told - self._monotonic(), told - asked
        known = (earliest + latest) / 2 if self._began is None else self._began
        self._began = min(max(known, earliest), latest)
        self._compare()

    async def begin(self) -> None:
        """Ask for the first time, which is waited for.

        Raises:
            UnreachableError: Postgres has not answered for five minutes.
        """
        await until_served(self.look, same_pauses(1.0), outage=self._outage, limit_s=_BEGINS_WITHIN_S)

    async def run(self) -> None:
        """Ask every few seconds, for ever; while Postgres is away the time goes on."""
        await serve_for_ever(self._outage, self.look, same_pauses(EVERY_S))

    def _compare(self) -> None:
        off = self._own() - self.now()
        CLOCK_OFF.set(off.total_seconds())
        is_off = abs(off) > _OFF
        if is_off != self._is_off:
            said = {"off_s": round(off.total_seconds()), "clock": "wrong" if is_off else "right"}
            text = "this machine's clock is not Postgres's, which counts" if is_off else "this machine's clock is right"
            log.warning(text, extra=said)
        self._is_off = is_off


@asynccontextmanager
async def shared_clock(store: SharedTime) -> AsyncIterator[SharedClock]:
    """Keep a clock for as long as a block runs.

    Args:
        store: Knows the time.

    Raises:
        UnreachableError: It has not answered for five minutes.
    """
    clock = SharedClock(store)
    await clock.begin()
    async with running_beside("shared clock", clock.run):
        yield clock
