"""Probation: what is on trial is delivered alone in the process, and condemned where processes died of it.

While it lasts nothing else is delivered but tables' changelogs. It begins with an assignment, when nothing is in
flight, and its records are marked before they are delivered, so that a death can be put down to them.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from app.adapters.kafka.faust_parts import TP
from app.adapters.kafka.trials import Trial

_LOOK_S: Final = 0.005
_TRY_AGAIN_S: Final = 1.0
_QUIET_POLLS: Final = 3


class Probation:
    """One run of it, within the drain loop.

    Args:
        drain: Fetches and delivers records.
        consumer: Whose partitions are on trial.
        stopped: Tells whether to end.
    """

    def __init__(self, drain: Any, consumer: Any, stopped: Callable[[], bool]) -> None:
        self._drain = drain
        self._consumer = consumer
        self._guard = consumer.guard
        self._stopped = stopped

    async def run(self) -> None:
        """Try all that is on trial, until it has passed or the assignment ends."""
        while self._guard.trials and self._going():
            trial = self._guard.trials[0]
            if await self._try(TP(*trial.place), trial):
                await self._guard.passed(trial)
                self._consumer.fetch_more()

    def _going(self) -> bool:
        return not self._stopped() and bool(self._drain.is_current())

    async def _try(self, tp: TP, trial: Trial) -> bool:
        """Try one partition; False where its assignment ended before all was tried."""
        waiting: deque[Any] = deque()
        quiet = tried = 0
        while self._going():
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
        """Wait until nothing is in flight, and commit: the next life begins with what this one could die of."""
        while self._consumer.frontier.unfinished() and self._going():
            changelogs = self._consumer.changelogs()
            if changelogs:
                await self._drain.deliver(await self._consumer.poll(changelogs, _LOOK_S))
            await asyncio.sleep(_LOOK_S)
        if self._going():
            await self._consumer.commit()
