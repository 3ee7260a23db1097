"""Following the queue: one look for all who follow, and each gets what they may know.

A look asks Kafka and Postgres once for what operators see, and once for a mark of each other user who follows: how
much of theirs waits and has failed. What they are told of that is read with their own rights, where their mark has
changed, and for ``MOST`` of them a look: the others' turn is with the next looks. So a look without changes is the same
few statements however many follow, and nobody is told of what row level security keeps from them.

A look that fails ends all streams with its reason: how the queue stood a while ago is no answer.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from app.domain.callers import Caller
from app.domain.errors import UnreachableError
from app.ports.queue_status import OwnerMark, OwnStatus
from app.services.operations.outages import Outage
from app.services.operations.queue_status import Queue, QueueView, seen

EVERY_S: Final = 2.0
MOST: Final = 20
_LOG: Final = logging.getLogger(__name__)
_OUTAGE: Final = Outage("the queue's figures", _LOG)


@dataclass(slots=True)
class _Turn:
    """What all wait for: the end of the next look, or of looking."""

    over: asyncio.Event = field(default_factory=asyncio.Event)
    broke: Exception | None = None
    last: bool = False


@dataclass(frozen=True, slots=True)
class _Known:
    """What a user was told of their own, at which look, and their mark then."""

    own: OwnStatus
    look: int
    mark: OwnerMark | None


class QueueWatch:
    """All who follow.

    Args:
        queue: Knows how it stands.
        every: Seconds between two looks, while anybody follows.
    """

    def __init__(self, queue: Queue, *, every: float = EVERY_S) -> None:
        self._queue = queue
        self._every = every
        self._watching: Counter[Caller] = Counter()
        self._known: dict[Caller, _Known] = {}
        self._views: dict[Caller, QueueView] = {}
        self._turn = _Turn()
        self._looking: asyncio.Task[None] | None = None
        self._looks = 0

    @contextmanager
    def watching(self, caller: Caller) -> Iterator[None]:
        """Count one in for as long as the block runs; looks go on while there is any."""
        self._watching[caller] += 1
        try:
            yield
        finally:
            self._watching[caller] -= 1
            self._watching += Counter()  # without those of whom none is left

    async def begin(self, caller: Caller) -> QueueView:
        """Return how it stands, at most two looks old, and see to it that looks go on.

        Raises:
            UnreachableError: Kafka or Postgres does not answer.
        """
        view = self._views.get(caller) or await self._first(caller)
        if self._looking is None or self._looking.done():
            self._turn = _Turn()
            self._looking = asyncio.create_task(self._look_on())
        return view

    async def next(self, caller: Caller) -> QueueView | None:
        """Wait for the next look, and return how it stands; None at the end.

        Raises:
            UnreachableError: Kafka or Postgres does not answer any more.
        """
        turn = self._turn
        await turn.over.wait()
        if turn.broke is not None:
            raise turn.broke
        return None if turn.last else self._views.get(caller)

    async def _first(self, caller: Caller) -> QueueView:
        status = await self._queue.status()
        if caller.may("operate"):
            return self._views.setdefault(caller, seen(status, None))
        own = await self._queue.own(caller)
        self._known[caller] = _Known(own, self._looks, None)
        return self._views.setdefault(caller, seen(status, own))

    def close(self) -> None:
        """Let everybody go."""
        if self._looking is not None:
            self._looking.cancel()
        self._end(None)

    async def _look_on(self) -> None:
        try:
            while self._watching:
                await asyncio.sleep(self._every)
                await self._look()
                _OUTAGE.served()
                turn, self._turn = self._turn, _Turn()
                turn.over.set()
        except UnreachableError as error:
            _OUTAGE.failed(error)
            self._end(error)
        except Exception as error:  # noqa: BLE001 - whoever follows is told, and may come again
            _LOG.exception("following the queue failed", extra={"followers": self._watching.total()})
            self._end(error)
        else:
            self._end(None)

    def _end(self, broke: Exception | None) -> None:
        self._known.clear()
        self._views.clear()
        self._turn.broke, self._turn.last = broke, True
        self._turn.over.set()

    async def _look(self) -> None:
        status = await self._queue.status()
        self._looks += 1
        await self._read([one for one in self._watching if one in self._known])
        # Only now: who joined meanwhile has what they were told at first.
        there = [one for one in self._watching if one.may("operate") or one in self._known]
        self._known = {one: self._known[one] for one in there if one in self._known}
        self._views = {one: seen(status, self._own(one)) for one in there}

    async def _read(self, callers: list[Caller]) -> None:
        """Read anew of whom something has changed: who was read longest ago first."""
        if not callers:
            return
        marks = await self._queue.marks({one.user_id for one in callers})
        changed = [one for one in callers if self._known[one].mark != marks[one.user_id]]
        changed.sort(key=lambda one: self._known[one].look)
        for one in changed[:MOST]:
            self._known[one] = _Known(await self._queue.own(one), self._looks, marks[one.user_id])

    def _own(self, caller: Caller) -> OwnStatus | None:
        return None if caller.may("operate") else self._known[caller].own
