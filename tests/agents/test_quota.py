"""Executions over their owner's quota: they wait, evenly, counted and seen; nobody else's do, and none is lost."""

from datetime import timedelta
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from agents.quota import Quota
from agents.slips import read_command
from app.domain.callers import Caller
from app.domain.quotas import MAX_WAITING, RunRate
from app.services.owner_rights import RecentRights
from tests.agents.test_matcher import World
from tests.support.fake_rights import MemoryCallers
from tests.support.records import FakeRecord, event_record
from tests.support.timers import FakeTimers

OWNER, OTHER = UUID(int=9), UUID(int=10)


class Limited:
    """A matcher whose workflows' owners may start so many executions a minute."""

    def __init__(self, per_minute: int, waiting: int = MAX_WAITING) -> None:
        self.timers, self.callers = FakeTimers(), MemoryCallers()
        owners = RecentRights(self.callers, frozenset())
        self.world = World(quota=Quota(per_minute, self.timers, owners, most=waiting))

    async def run(self, *ids: str) -> list[str]:
        """Match events in one batch; returns the owners of those that started at once."""
        before = len(self.world.sender.on("t.actions.apply_tag"))
        await self.world.process([event_record(id=one) for one in ids])
        started = self.world.sender.on("t.actions.apply_tag")[before:]
        return [str(read_command(FakeRecord(one.value), "apply_tag").workflow.owner.int) for one in started]


def delayed() -> float:
    """How many were counted as delayed."""
    return REGISTRY.get_sample_value("headrace_executions_delayed_total") or 0.0


async def test_what_is_over_the_quota_waits_evenly() -> None:
    """Two a minute: of five, two start and three wait, half a minute from one to the next; their records are whole."""
    limited = Limited(2)
    limited.world.workflow(1)
    before = delayed()
    assert await limited.run("a", "b", "c") == ["9", "9"]
    assert await limited.run("d", "e") == []
    timers = sorted(limited.timers.set_timers.values(), key=lambda timer: timer.due)
    assert [timer.due - limited.world.now for timer in timers] == [timedelta(seconds=30 * n) for n in (1, 2, 3)]
    assert {(timer.kind, timer.destination, timer.step) for timer in timers} == {("quota", str(OWNER), 0)}
    assert "2 executions a minute" in timers[0].reason
    commands = [read_command(FakeRecord(timer.record.value), "apply_tag") for timer in timers]
    assert [command.event["id"] for command in commands] == ["c", "d", "e"]
    assert [command.id for command in commands] == [timer.command_id for timer in timers]
    assert delayed() - before == 3


async def test_others_are_not_held_back() -> None:
    """In the very batch in which one owner is far over, another's run starts at once."""
    limited = Limited(1)
    limited.world.workflow(1)
    limited.world.workflow(2, owner=OTHER, trigger={"type": "order.paid", "config": {}})
    await limited.run("a")
    limited.world.now += timedelta(seconds=60)
    limited.world.index.apply(limited.world.workflow(1, version=2))
    assert sorted(await limited.run("b")) == ["10", "9"]
    assert await limited.run("c") == []


async def test_an_administrator_has_no_quota() -> None:
    """Asked about those over it only; once they are an administrator no more, they begin anew."""
    limited = Limited(1)
    limited.world.workflow(1)
    await limited.run("a")
    assert limited.callers.reads == []
    await limited.callers.note(Caller(OWNER, "admin"))
    assert await limited.run("b", "c", "d") == ["9"] * 3
    assert limited.timers.set_timers == {}


async def test_an_event_that_comes_again_changes_nothing_of_what_waits() -> None:
    """Neither when it is due nor, where the executor has set its own timer for the command meanwhile, that one."""
    limited = Limited(1)
    limited.world.workflow(1)
    await limited.run("a", "b")
    (waiting,) = limited.timers.set_timers.values()
    limited.world.now += timedelta(seconds=1)
    await limited.run("b")
    assert list(limited.timers.set_timers.values()) == [waiting]


async def test_so_many_wait_and_no_more() -> None:
    """Past that an execution ends as blocked, with the quota named, and counted; with time there is room again."""
    limited = Limited(2, waiting=3)
    limited.world.workflow(1)
    before = blocked()
    await limited.run(*"abcdefgh")
    assert len(limited.timers.set_timers) == 3
    ended = [orjson.loads(one.value or b"") for one in limited.world.sender.on("t.executions")]
    assert [(one["status"], one["event"]["id"]) for one in ended] == [("blocked", name) for name in "fgh"]
    assert {one["error"] for one in ended} == {
        "quota: more than 2 executions a minute of the workflow's owner, and 3 of them wait already"
    }
    assert blocked() - before == 3
    limited.world.now += timedelta(seconds=30)
    await limited.run("i", "j")
    assert len(limited.timers.set_timers) == 4
    assert len(limited.world.sender.on("t.executions")) == 4


async def test_an_administrators_are_never_too_many() -> None:
    """Whatever waits would be too much for others."""
    limited = Limited(1, waiting=0)
    limited.world.workflow(1)
    await limited.callers.note(Caller(OWNER, "admin"))
    assert await limited.run(*"abcde") == ["9"] * 5
    assert limited.world.sender.on("t.executions") == []


def blocked() -> float:
    """How many were counted as blocked by a quota."""
    return REGISTRY.get_sample_value("headrace_executions_blocked_total", {"reason": "quota"}) or 0.0


async def test_what_does_not_run_costs_no_quota() -> None:
    """Conditions that do not hold start nothing."""
    limited = Limited(1)
    limited.world.workflow(1, minimum=10**9)
    await limited.run("a", "b", "c")
    limited.world.workflow(2)
    assert await limited.run("d") == ["9"]


def test_some_may_go_at_once_and_then_evenly() -> None:
    """Ten, or two seconds' worth; and after a rest again."""
    rate = RunRate(60)
    assert [round(rate.take(OWNER, 0), 3) for _ in range(12)] == [0.0] * 10 + [1.0, 2.0]
    assert rate.take(OTHER, 0) == 0
    assert [round(rate.take(OWNER, 22), 3) for _ in range(11)] == [0.0] * 10 + [1.0]
    fast = RunRate(6_000)
    assert [round(fast.take(OWNER, 0), 3) for _ in range(202)] == [0.0] * 200 + [0.01, 0.02]


def test_no_limit_remembers_nobody() -> None:
    """0 costs nothing."""
    rate = RunRate(0)
    assert ({rate.take(uuid4(), 0) for _ in range(100)}, len(rate)) == ({0.0}, 0)


def test_memory_is_bounded() -> None:
    """However many owners run, the last ones are remembered, and held to the limit."""
    rate = RunRate(1, most=10)
    owners = [uuid4() for _ in range(1000)]
    for owner in owners:
        rate.take(owner, 0)
    assert len(rate) == 10
    assert rate.take(owners[-1], 0) == pytest.approx(60)


@given(st.integers(1, 30), st.lists(st.floats(0, 20), max_size=80))
def test_no_minute_starts_more_than_two_quotas(per_minute: int, gaps: list[float]) -> None:
    """Whatever comes when: what goes at once and what waited, together, within any minute."""
    rate, now, starts = RunRate(per_minute), 0.0, []
    for gap in gaps:
        now += gap
        starts += [now + rate.take(OWNER, now) for _ in range(3)]
    for start in starts:
        assert sum(start <= other < start + 59.9 for other in starts) <= 2 * per_minute
