"""The guard against dying for ever of the same record: one worker's side of it.

The whole of it: docs/design.md#33-deadly-records.

Costs a statement when partitions are assigned and one when they are given up. What is on trial is delivered by
``probation.py``.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from aiokafka.errors import KafkaError

from app.adapters.kafka.faust_parts import TP
from app.adapters.kafka.messages import TrackedMessage
from app.adapters.kafka.trials import Trial, begin_trials, end_of_flight
from app.domain.errors import HeadraceError, SupersededError, UnreachableError
from app.metrics.consumer import ON_TRIAL
from app.ports import Crashes, Suspicion
from app.services.operations.background import note_failure

log = logging.getLogger(__name__)


Ends = Callable[[Sequence[TP]], Awaitable[Mapping[TP, int]]]
Condemn = Callable[[TrackedMessage, str], Awaitable[None]]

NONE_ALONE: Final = (0, 0)
_TASK: Final = "crash_guard"
_NO_FAULT: Final = (UnreachableError, SupersededError, KafkaError, OSError)


class DiedOverError(HeadraceError):
    """Processes died over a partition's records."""


class CrashGuard:
    """One worker's.

    Args:
        crashes: What outlives the process.
        condemn: Makes a dead letter of a record, with what is known; durable when it returns.

    Attributes:
        trials: What is on trial; nothing else is delivered meanwhile.
    """

    def __init__(self, crashes: Crashes, condemn: Condemn) -> None:
        self._crashes = crashes
        self._held = False
        self.condemn = condemn
        self.trials: list[Trial] = []

    def allows(self, tp: TP) -> bool:
        """Whether records of a partition may be fetched now."""
        return not self.trials or tp == TP(*self.trials[0].place)

    async def hold(self, frontiers: Mapping[TP, int], ends: Ends) -> None:
        """Take hold of what was assigned, and see what must be tried. Without Postgres there is no guard, but work.

        Raises:
            SupersededError: A newer process of this instance runs; this one must end.
        """
        self.trials = []
        try:
            suspicions = await self._crashes.hold({(tp.topic, tp.partition): at for tp, at in frontiers.items()})
            self._held = True
            if suspicions:
                await self._suspect(list(suspicions), ends)
        except SupersededError:
            raise
        except Exception as error:  # noqa: BLE001 - noted with its traceback
            note_failure(_TASK, error)
        ON_TRIAL.set(len(self.trials))

    async def _suspect(self, suspicions: list[Suspicion], ends: Ends) -> None:
        found = await ends([TP(*one.place) for one in suspicions])
        untils = {one.place: end_of_flight(one.frontier, found[TP(*one.place)], one.watched) for one in suspicions}
        await self._crashes.watch(untils)
        self.trials = begin_trials(suspicions, untils)
        for trial in self.trials:
            one = trial.suspicion
            died = f"{one.deaths} processes died over {one.place[0]}/{one.place[1]} from offset {one.frontier} on"
            note_failure(_TASK, DiedOverError(f"{died}; its records are tried alone"), one.error, **_place(trial))

    async def mark(self, trial: Trial, first: int, end: int) -> bool:
        """Say what is alone in work from now; False where that cannot be said now."""
        try:
            await self._crashes.mark(trial.place, first, end)
        except UnreachableError as error:
            log.warning("a trial cannot be noted now", extra={**_place(trial), "why": str(error)})
            return False
        return True

    async def put_off(self, trial: Trial) -> bool:
        """End a trial whose records only take long; False where it cannot be noted now that they are alone no more."""
        if not await self.mark(trial, *NONE_ALONE):
            return False
        self.trials.remove(trial)
        ON_TRIAL.set(len(self.trials))
        log.warning("records on trial take long; they go on beside all others", extra=_place(trial))
        return True

    async def passed(self, trial: Trial) -> None:
        """End a trial: no record of it is dangerous any more."""
        self.trials.remove(trial)
        ON_TRIAL.set(len(self.trials))
        log.warning("a partition is read as usual again", extra=_place(trial))
        try:
            await self._crashes.clear(trial.place)
        except UnreachableError as error:
            log.warning("the end of a trial cannot be noted now", extra={**_place(trial), "why": str(error)})

    async def let_go(self, reason: BaseException | None) -> None:
        """End the hold; ``reason``: what the process dies of, unless it ends well.

        An end because Kafka or Postgres is away is no death, and is held against no record.
        """
        self.trials = []
        if not self._held:
            return
        died = reason is not None and not isinstance(reason, _NO_FAULT)
        try:
            await self._crashes.let_go(f"{type(reason).__name__}: {reason}" if died else None)
        except UnreachableError as error:
            log.warning("the end of a hold cannot be noted now", extra={"why": str(error)})
        self._held = died


def _place(trial: Trial) -> dict[str, object]:
    topic, partition = trial.place
    return {"topic": topic, "partition": partition, "offset": trial.suspicion.frontier}


class NoGuard:
    """Guards against nothing: of apps that have nowhere to remember."""

    trials: Sequence[Any] = ()

    def allows(self, _: TP) -> bool:
        """Allow all."""
        return True

    async def hold(self, frontiers: Mapping[TP, int], ends: Ends) -> None:
        """Hold nothing."""

    async def let_go(self, reason: BaseException | None) -> None:
        """Let go of nothing."""
