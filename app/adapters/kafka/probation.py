"""Probation: what is on trial is delivered alone in the process, and condemned where processes died of it.

While it lasts, and it lasts only so long, nothing else is delivered but tables' changelogs. It begins with an
assignment, when nothing is in flight, and its records are marked before they are delivered, so that a death can be put
down to them.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from app.adapters.kafka.faust_parts import TP
from app.adapters.kafka.trials import LEAST_ALONE_S, Trial, time_alone

_LOOK_S: Final = 0.005
_TRY_AGAIN_S: Final = 1.0
_QUIET_POLLS: Final = 3


class Probation:
    """One run of it, within the drain loop.

    Args:
        drain: Fetches and delivers records.
        consumer: Whose partitions are on trial.
        stopped: Tells whether to end.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, drain: Any, consumer: Any, stopped: Callable[[], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._drain = drain
        self._consumer = consumer
        self._guard = consumer.guard
        self._stopped = stopped
        self._clock = clock
        self._until = 0.0

    async def run(self) -> None:
        """Try all that is on trial, until it has passed, has had its time, or the assignment ends."""
        end = self._clock() + time_alone(self._guard.trials)
        while self._guard.trials and self._going():
            trial, now = self._guard.trials[0], self._clock()
            self._until = now + max(LEAST_ALONE_S, (end - now) / len(self._guard.trials))
            if await self._try(TP(*trial.place), trial):
                await self._guard.passed(trial)
            else:
                await self._put_off(trial)
            self._consumer.fetch_more()

    async def _put_off(self, trial: Trial) -> None:
        """Let a partition go on beside the others; what is in work of it must not count as alone any more."""
        if self._going() and not await self._guard.put_off(trial):
            await asyncio.sleep(_TRY_AGAIN_S)  # it goes on, alone

    def _going(self) -> bool:
        return not self._stopped() and bool(self._drain.is_current())

    def _has_time(self) -> bool:
        return self._clock() < self._until and self._going()

    async def _try(self, tp: TP, trial: Trial) -> bool:
        """Try one partition; False where its time or its assignment ended before all was tried."""
        waiting: deque[Any] = deque()
        quiet = tried = 0
        while self._has_time():
            if tried >= trial.until or (waiting and waiting[0].offset >= trial.until):
                self._drain.give_back(tp, list(waiting))
                return True
            if waiting:
                tried = await self._next(tp, trial, waiting)
                continue
            waiting.extend(await self._fetch(tp))
            quiet = 0 if waiting or tp not in self._consumer.fetchable() else quiet + 1
            if quiet >= _QUIET_POLLS:  # the rest of its offsets are no records, but transactions' markers
                return True
        self._drain.give_back(tp, list(waiting))
        return False

    async def _fetch(self, tp: TP) -> list[Any]:
        """Fetch of the partition; what comes of changelogs is delivered."""
        records = dict(await self._drain.fetch())
        mine = list(records.pop(tp, ()))
        await self._drain.deliver(records)
        return mine

    async def _next(self, tp: TP, trial: Trial, waiting: deque[Any]) -> int:
        """Try or condemn what comes next; returns the offset up to which all is done."""
        first: int = waiting[0].offset
        if trial.condemned(first):
            message = self._drain.message(tp, waiting.popleft())
            await self._guard.condemn(message, trial.detail)
            self._consumer.frontier.fetched(tp, message.generation_id, [message])
            self._consumer.ack(message)
            await self._consumer.commit()
            return first + 1
        most = min(trial.together(first), len(waiting))
        batch = [record for record in (waiting[number] for number in range(most)) if record.offset < trial.until]
        if not await self._guard.mark(trial, first, batch[-1].offset + 1):
            await asyncio.sleep(_TRY_AGAIN_S)
            return first
        if not self._going():
            return first
        for _ in batch:
            waiting.popleft()
        await self._drain.deliver({tp: batch})
        await self._finished()
        end: int = batch[-1].offset + 1
        return end

    async def _finished(self) -> None:
        """Wait until nothing is in flight, or time is up, and commit.

        The next life begins with what this one could die of.
        """
        while self._consumer.frontier.unfinished() and self._has_time():
            changelogs = self._consumer.changelogs()
            if changelogs:
                await self._drain.deliver(await self._consumer.poll(changelogs, _LOOK_S))
            await asyncio.sleep(_LOOK_S)
        if self._going():
            await self._consumer.commit()
