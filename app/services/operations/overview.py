"""The overview: what is wrong at this moment, and how a day went."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from app.domain.alert_messages import summary
from app.domain.alert_rules import BY_NAME
from app.domain.alert_states import Standing
from app.domain.callers import Caller
from app.domain.day_figures import HOURS, DayFigures, Figure, figures_of
from app.domain.errors import UnreachableError
from app.ports.overview import Failing, OverviewStore
from app.services.operations.health import Health
from app.services.operations.queue_status import Queue, QueueView

DAY: Final = timedelta(hours=HOURS)
RECENT: Final = timedelta(hours=1)
# From so many on a queue is behind (the alert QueueDepth), and a record of the outbox is late (OutboxOld).
_DEEP: Final = 1000
_LATE_S: Final = 60.0
_LOOK_S: Final = 0.5
# What is said of here anyway, from what it is judged by.
_SAID: Final = frozenset(
    f"Headrace{name}"
    for name in ("ExecutionFailureRate", "QueueDepth", "BreakerOpen", "DeadLetters", "OutboxOld", "RecordsSetAside")
)
TroubleKind = Literal["away", "failing", "breaker", "behind", "late", "letters", "set_aside", "alert"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is not as it should be.

    Attributes:
        kind: ``away``: a system that Headrace stands on; ``failing``: executions; ``breaker``: a destination that
            failed; ``behind``: records that wait; ``late``: records that do not get to Kafka; ``letters``: records
            that could not be processed; ``set_aside``: records that Kafka does not take; ``alert``: another alert.
        about: Which one: a system, a destination, an alert's line.
        why: What is known of it.
        count: How many.
        of: Of how many workflows.
        seconds: For how long.
        until: When it is tried again; none where that is now.
    """

    kind: TroubleKind
    about: str = ""
    why: str = ""
    count: int = 0
    of: int = 0
    seconds: float = 0.0
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """How a day went.

    Attributes:
        waiting: What waits now; its line counts by the hour when it goes on, from now on.
    """

    since: datetime
    until: datetime
    figures: DayFigures
    waiting: Figure


@dataclass(frozen=True, slots=True)
class Seen:
    """What the overview shows."""

    wrong: Sequence[Trouble]
    day: Day
    failing: Failing


class Overview:
    """The use case.

    Args:
        store: The log, the timers and the alerts.
        now: The clock.
    """

    def __init__(self, store: OverviewStore, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def see(self, caller: Caller, queue: Queue, health: Health) -> Seen:
        """Return what the caller may know of it.

        Args:
            caller: On whose behalf.
            queue: How the installation keeps up.
            health: What this process stands on.

        Raises:
            UnreachableError: Postgres does not answer.
        """
        now = self._now()
        failing = await self._store.failing(caller, now - DAY, now - RECENT)
        figures = figures_of(await self._store.day(caller, now - DAY, now))
        due = await self._store.due(caller, now, now + DAY)
        view = await _view(queue, caller)
        parked = float(view.parked) if view is not None else None
        waiting = Figure(parked, [due.get(hour, 0) for hour in range(HOURS)])
        wrong = [*await _away(health), *_failing(failing), *_behind(view), *await self._alerts(caller)]
        return Seen(wrong, Day(now - DAY, now, figures, waiting), failing)

    async def _alerts(self, caller: Caller) -> list[Trouble]:
        return list(_firing(await self._store.alerts())) if caller.may("operate") else []


async def _view(queue: Queue, caller: Caller) -> QueueView | None:
    try:
        return await queue.view(caller)
    except UnreachableError:
        return None  # Kafka: the health says so


async def _away(health: Health) -> list[Trouble]:
    checks = await health.look(_LOOK_S)
    return [Trouble("away", about=name, why=check.detail) for name, check in checks.items() if not check.ok]


def _failing(found: Failing) -> Iterator[Trouble]:
    if found.executions:
        yield Trouble("failing", count=found.executions, of=found.workflows)


def _behind(view: QueueView | None) -> Iterator[Trouble]:
    if view is None:
        return
    for one in view.breakers or ():
        until = None if one.half_open else one.until
        yield Trouble("breaker", about=one.destination, why=one.reason, count=one.waiting, until=until)
    if view.depth > _DEEP:
        yield Trouble("behind", count=view.depth)
    if view.outbox_oldest_s > _LATE_S:
        yield Trouble("late", seconds=view.outbox_oldest_s)
    if view.dead_letters:
        yield Trouble("letters", count=view.dead_letters)
    if aside := sum(one.count for one in view.set_aside or ()):
        yield Trouble("set_aside", count=aside)


def _firing(standings: Mapping[str, Standing]) -> Iterator[Trouble]:
    for name, alert in BY_NAME.items():
        if name not in _SAID:
            for subject, wrong in standings.get(name, Standing()).firing.items():
                yield Trouble("alert", about=summary(alert, subject, wrong.value), why=alert.description)
