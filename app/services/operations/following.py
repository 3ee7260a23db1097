"""Following the execution log: one look a second for all who follow, and each gets what they may see and asked for.

A look tells what was written, and whose; the rows themselves are read with the rights of those who get them, at most
once for all administrators and once for each user of whose workflows there is news. So a look without news is one
statement, however many follow, and nobody is told of a row that row level security keeps from them.

Who breaks off goes on from the id of the last event: nothing is lost and nothing comes twice (``Place``). Where that
cannot be had (an hour has passed, there was too much, the database is another) the first event is ``reset``: what the
caller has is to be loaded again.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.domain.callers import Caller
from app.domain.errors import BehindError, UnreachableError
from app.domain.snapshots import Place, Snapshot
from app.ports.executions import ExecutionFilter, ExecutionSummary
from app.ports.following import Feed, Look, News
from app.services.operations.outages import Outage

EVERY_S: Final = 1.0
RESUMED_WITHIN_S: Final = 3600
_BEHIND: Final = 60
_EVERYBODYS: Final = "everybody's"
_LOG: Final = logging.getLogger(__name__)
_OUTAGE: Final = Outage("the feed of executions", _LOG)


@dataclass(frozen=True, slots=True)
class Told:
    """What a follower is told: an execution and the id to go on from; or, without one, that all is to be loaded."""

    place: str
    execution: ExecutionSummary | None = None


@dataclass(frozen=True, slots=True)
class _Batch:
    look: Look
    rows: Mapping[UUID | str, Mapping[UUID, ExecutionSummary]]


class Follower:
    """One who follows.

    Args:
        caller: Whose rights they have.
        wanted: Which executions they asked for.
        now: Seconds since 1970.
    """

    def __init__(self, caller: Caller, wanted: ExecutionFilter, now: Callable[[], float]) -> None:
        self.caller = caller
        self._wanted = wanted
        self._now = now
        self._seen: Snapshot | None = None
        self._batches: asyncio.Queue[_Batch | None] = asyncio.Queue(_BEHIND)
        self._ended = False
        self._why: Exception | None = None

    @property
    def place(self) -> str:
        """The id to go on from after all that was told."""
        assert self._seen is not None, "a follower begins somewhere"
        return str(Place(int(self._now()), self._seen))

    @property
    def whose(self) -> UUID | str:
        """Whose executions they see: their own, or everybody's."""
        return _EVERYBODYS if self.caller.role == "admin" else self.caller.user_id

    def concerns(self, news: News) -> bool:
        """Tell whether they might see an execution; whether they do is for the database to say."""
        return self.caller.role == "admin" or news.owner == self.caller.user_id

    def give(self, batch: _Batch) -> None:
        """Hand over what a look found; who is too far behind is let go, and may come back."""
        if self._batches.full():
            self.end(BehindError("what was told was taken up more slowly than it came; go on from the last event"))
        elif not self._ended:
            self._batches.put_nowait(batch)

    def end(self, why: Exception | None = None) -> None:
        """Tell no more; why, where it is before the end."""
        self._ended, self._why = True, why

    async def next(self) -> list[Told] | None:
        """Wait for the next look, and return what it has for this one; None at the end.

        Raises:
            BehindError: What was told was not taken up.
            Exception: Following failed.
        """
        while not self._ended:
            try:
                async with asyncio.timeout(EVERY_S):
                    batch = await self._batches.get()
            except TimeoutError:
                continue
            if batch is not None:
                return self.told(batch)
        if self._why is not None:
            raise self._why
        return None

    def told(self, batch: _Batch, since: Place | None = None) -> list[Told]:
        """Return what is new to them in what a look found, and count it as told."""
        upto, before = batch.look.upto, self._seen
        if before is not None and upto.age <= before.age:
            return []
        began = since or Place(int(self._now()), before or upto)
        self._seen = upto
        if not batch.look.whole:
            return [Told(self.place)]
        rows = batch.rows.get(self.whose, {})
        told = [(one.mark, rows[one.execution_id]) for one in batch.look.news if self._is_new(one, rows, began)]
        at = int(self._now())
        return [Told(str(Place(at, began.seen, upto, mark)), row) for mark, row in told]

    def _is_new(self, one: News, rows: Mapping[UUID, ExecutionSummary], began: Place) -> bool:
        return one.execution_id in rows and not began.has(one.mark) and takes(self._wanted, rows[one.execution_id])


def takes(wanted: ExecutionFilter, row: ExecutionSummary) -> bool:
    """Tell whether an execution is one that was asked for; times are not asked for of what is to come."""
    same = (
        (wanted.workflow_id, row.workflow_id),
        (wanted.event_type, row.event_type),
        (wanted.entity, row.entity),
        (wanted.event_id, row.event_id),
    )
    words = (wanted.search or "").lower()
    return (
        all(asked is None or asked == there for asked, there in same)
        and (not wanted.statuses or row.status in wanted.statuses)
        and (words in row.workflow_name.lower() or words in (row.error or "").lower())
    )


class Following:
    """All who follow.

    Args:
        feed: Knows what was written.
        every: Seconds between two looks, while anybody follows.
        now: Seconds since 1970.
    """

    def __init__(self, feed: Feed, *, every: float = EVERY_S, now: Callable[[], float] = time.time) -> None:
        self._feed = feed
        self._every = every
        self._now = now
        self._followers: set[Follower] = set()
        self._since: Snapshot | None = None
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def follower(self, caller: Caller, wanted: ExecutionFilter) -> Iterator[Follower]:
        """Count one in for as long as the block runs; looks go on while there is any."""
        one = Follower(caller, wanted, self._now)
        self._followers.add(one)
        try:
            yield one
        finally:
            self._followers.discard(one)

    async def begin(self, one: Follower, last: str | None) -> list[Told]:
        """Return what was missed since the event with an id; without one, the stream begins now.

        Raises:
            UnreachableError: Postgres does not answer.
        """
        place = self._resumable(last)
        look = await self._feed.look(place.seen if place else None)
        if last is not None and place is None:
            look = Look(look.upto, (), whole=False)
        if self._looking is None or self._looking.done():
            self._since = look.upto
            self._looking = asyncio.create_task(self._look_on())
        return one.told(await self._read(look, [one]), place)

    def close(self) -> None:
        """Let everybody go."""
        self._let_go()
        if self._looking is not None:
            self._looking.cancel()

    def _resumable(self, last: str | None) -> Place | None:
        place = Place.read(last) if last is not None else None
        return place if place is not None and self._now() - place.at < RESUMED_WITHIN_S else None

    async def _look_on(self) -> None:
        while self._followers:
            await asyncio.sleep(self._every)
            try:
                await self._look()
                _OUTAGE.served()
            except UnreachableError as error:
                _OUTAGE.failed(error)
            except Exception as error:
                # Whoever follows is told, comes back, and goes on from where they were.
                _LOG.exception("following the log failed", extra={"followers": len(self._followers)})
                self._let_go(error)
                raise

    async def _look(self) -> None:
        look = await self._feed.look(self._since)
        # Only now: who joined while it looked has perhaps looked for themselves before, and needs it too.
        followers = list(self._followers)
        batch = await self._read(look, followers)
        self._since = look.upto
        for one in followers:
            one.give(batch)

    def _let_go(self, why: Exception | None = None) -> None:
        for one in self._followers:
            one.end(why)

    async def _read(self, look: Look, followers: Sequence[Follower]) -> _Batch:
        """Read the rows of a look's news, once for each whose rights differ; all or none, so that none is lost."""
        rows: dict[UUID | str, Mapping[UUID, ExecutionSummary]] = {}
        if not look.whole:
            return _Batch(look, rows)
        for one in {one.whose: one for one in followers}.values():
            theirs = [news for news in look.news if one.concerns(news)]
            if theirs:
                rows[one.whose] = await self._feed.read(one.caller, theirs)
        return _Batch(look, rows)
