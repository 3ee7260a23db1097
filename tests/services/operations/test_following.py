"""Who follows the log: one look for all, whatever their number, and nobody is lost between two looks."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from app.domain.callers import Caller
from app.domain.errors import UnreachableError
from app.domain.snapshots import Place, Snapshot
from app.ports.executions import ExecutionFilter, ExecutionSummary
from app.ports.following import Look, News
from app.services.operations.following import Follower, Following, Told, takes
from tests.support.waiting import eventually, in_time

AT: Final = datetime(2026, 3, 1, tzinfo=UTC)
ALL: Final = ExecutionFilter()


def summary(execution_id: UUID) -> ExecutionSummary:
    """A row of the log."""
    given: dict[str, Any] = {"status": "success", "conditions_met": True, "error": None, "executed_at": AT}
    names: dict[str, Any] = {"workflow_id": uuid4(), "workflow_name": "w", "version": 1, "attempt": 1}
    rest: dict[str, Any] = {"entity": None, "event_id": None, "event_type": None, "duration_ms": 1}
    return ExecutionSummary(id=execution_id, **given, **names, **rest)


class MemoryFeed:
    """A feed in memory: transactions are numbered from 1 and committed at once.

    Attributes:
        looks: How often it was looked at.
        reads: Whose rows were read.
        away: It does not answer.
        refused: How often it did not.
    """

    def __init__(self) -> None:
        self._news: list[News] = []
        self.looks = 0
        self.reads: list[UUID] = []
        self.away = False
        self.refused = 0

    def write(self, owner: UUID) -> UUID:
        """Write an execution."""
        one = News((len(self._news) + 1, 1, 1), uuid4(), AT, owner)
        self._news.append(one)
        return one.execution_id

    async def look(self, since: Snapshot | None) -> Look:
        """Return what is new."""
        if self.away:
            self.refused += 1
            raise UnreachableError("away")
        self.looks += 1
        end = len(self._news) + 1
        return Look(Snapshot(end, end), [one for one in self._news if since and not since.sees(one.mark[0])])

    async def read(self, caller: Caller, news: Sequence[News]) -> Mapping[UUID, ExecutionSummary]:
        """Return their rows."""
        self.reads.append(caller.user_id)
        return {one.execution_id: summary(one.execution_id) for one in news}


async def told(one: Follower, count: int) -> list[UUID]:
    """Wait for as many executions; returns their ids."""
    found: list[Told] = []
    while len(found) < count:
        news: list[Told] | None = await in_time(one.next(), 10, what="news")
        found += news or []
    return [row.execution.id for row in found if row.execution is not None]


async def test_a_look_serves_all_and_rows_are_read_once_for_each_right() -> None:
    """Twenty administrators and twenty streams of one user: one look a turn, and two reads where there is news."""
    feed, user, stranger = MemoryFeed(), uuid4(), uuid4()
    following = Following(feed, every=0.01)
    callers = [Caller(uuid4(), "admin") for _ in range(20)] + [Caller(user, "user")] * 20 + [Caller(stranger, "user")]
    with_them = [following.follower(caller, ALL) for caller in callers]
    followers = [one.__enter__() for one in with_them]
    for one in followers:
        await following.begin(one, None)
    before = feed.looks
    made = feed.write(user)
    assert [await told(one, 1) for one in followers[:40]] == [[made]] * 40
    assert len(feed.reads) == 2
    # However many follow: a turn is a look.
    assert feed.looks - before < 20
    assert stranger not in feed.reads
    for entered in with_them:
        entered.__exit__(None, None, None)
    following.close()


async def test_who_joins_while_others_follow_is_told_all_from_then_on() -> None:
    """Joined between any two looks, with writes all the time: from the first execution after it on, each once."""
    feed, owner = MemoryFeed(), uuid4()
    following, caller = Following(feed, every=0.001), Caller(owner, "user")

    async def join() -> None:
        with following.follower(caller, ALL) as one:
            missed = await following.begin(one, None)
            made = [feed.write(owner) for _ in range(5)]
            assert [row.execution.id for row in missed if row.execution] == []
            assert (await told(one, 5))[:5] == made

    for _ in range(50):
        feed.write(owner)
        await join()
    following.close()


async def test_an_outage_loses_nothing() -> None:
    """What was written meanwhile is told when the database answers again."""
    feed, owner = MemoryFeed(), uuid4()
    following = Following(feed, every=0.001)
    with following.follower(Caller(owner, "user"), ALL) as one:
        await following.begin(one, None)
        feed.away = True
        made = feed.write(owner)
        await eventually(lambda: feed.refused > 2, within=10, what="looks that failed")
        feed.away = False
        assert await told(one, 1) == [made]
    following.close()


async def test_after_an_hour_the_list_is_to_be_loaded_again() -> None:
    """What the feed holds is no more than two hours old."""
    feed, now = MemoryFeed(), [10_000.0]
    following = Following(feed, every=0.01, now=lambda: now[0])
    place = str(Place(10_000, Snapshot(1, 1)))
    feed.write(owner := uuid4())
    for seconds, kinds in ((3599, [True]), (3600, [False])):
        now[0] = 10_000.0 + seconds
        with following.follower(Caller(owner, "user"), ALL) as one:
            missed = await following.begin(one, place)
            assert [row.execution is not None for row in missed] == kinds
    following.close()


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        ({}, True),
        ({"workflow_id": UUID(int=1)}, True),
        ({"workflow_id": UUID(int=2)}, False),
        ({"event_type": "order.paid"}, True),
        ({"event_type": "order.created"}, False),
        ({"entity": "c-1"}, True),
        ({"entity": "c-2"}, False),
        ({"event_id": "e-1"}, True),
        ({"event_id": "e-2"}, False),
        ({"statuses": ("partial", "failed")}, True),
        ({"statuses": ("success",)}, False),
        ({"search": "BIG"}, True),
        ({"search": "said no"}, True),
        ({"search": "said yes"}, False),
        ({"entity": "c-1", "statuses": ("success",)}, False),
    ],
)
def test_who_follows_is_told_of_what_they_asked_for(wanted: dict[str, Any], *, taken: bool) -> None:
    """As the list has it: all that is asked for must hold; words are in the workflow's name or in the error."""
    given = {"workflow_id": UUID(int=1), "workflow_name": "Big order", "entity": "c-1", "event_id": "e-1"}
    row = summary(uuid4()).model_copy(
        update={**given, "event_type": "order.paid", "status": "failed", "error": "The CRM said NO"}
    )
    assert takes(ExecutionFilter(**wanted), row) is taken
