"""Executions over their owner's quota: they wait, evenly, counted and seen; nobody else's do, and none is lost."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from app.domain.callers import Caller
from app.domain.quotas import MAX_WAITING, RunRate
from app.execution.quota import Quota
from app.execution.quota_parking import Parker
from app.execution.routing import read_command
from app.ports import Record, owner_of
from app.services.access.owner_rights import RecentRights
from app.services.delivery.dead_letters import DeadLetters
from schemas.dead_letter import DeadLetter
from tests.execution.test_matching import TOPICS, World
from tests.support.fake_rights import MemoryCallers
from tests.support.records import FakeRecord, event_record
from tests.support.timers import FakeTimers

LARGE = [{"type": "apply_tag", "order": 1, "config": {"tag": "x" * 100_000}}]
OWNER, OTHER = UUID(int=9), UUID(int=10)


class Limited:
    """A matcher whose workflows' owners may start so many executions a minute."""

    def __init__(self, per_minute: int, waiting: int = MAX_WAITING) -> None:
        self.timers, self.callers = FakeTimers(), MemoryCallers()
        owners = RecentRights(self.callers, frozenset())
        self.world = World(quota=Quota(per_minute, "t.over-quota", owners, most=waiting))
        letters = DeadLetters(topics=TOPICS, sender=self.world.sender, role="w", clock=lambda: self.world.now)
        self.parker = Parker(self.timers, {"t.actions.apply_tag"}, letters)

    async def run(self, *ids: str) -> list[str]:
        """Match events in one batch; returns the owners of those that started at once."""
        before, waiting = (len(self.world.sender.on(topic)) for topic in ("t.actions.apply_tag", "t.over-quota"))
        await self.world.process([event_record(id=one) for one in ids])
        await self.park(self.world.sender.on("t.over-quota")[waiting:])
        started = self.world.sender.on("t.actions.apply_tag")[before:]
        return [str(read_command(FakeRecord(one.value), "apply_tag").workflow.owner.int) for one in started]

    async def park(self, records: Sequence[Record]) -> list[Record]:
        """Let records wait that came on the topic for it; returns the dead letters."""
        read = [FakeRecord(one.value, key=one.key, headers=list(one.headers), topic=one.topic) for one in records]
        return await self.parker.process(read)


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
    assert {owner_of(timer.record) for timer in timers} == {OWNER.bytes}
    assert {timer.record.topic for timer in timers} == {"t.actions.apply_tag"}
    assert delayed() - before == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"value": b"{"}, ("not_json", "unexpected end of data")),
        ({"value": b"{}"}, ("invalid_held_runs", "owner: is missing")),
        ({"key": None}, ("invalid_held_runs", "key: is missing")),
        ({"key": b"\xff"}, ("invalid_held_runs", "key: is not UTF-8: byte 0xff at position 0")),
        ({"value": None}, ("invalid_held_runs", "value: is missing")),
        ({"runs": []}, ("invalid_held_runs", "runs: must have at least 1 item")),
        ({"topic": "t.events.order"}, ("invalid_held_runs", "runs[0].topic: no command goes to t.events.order")),
        ({"command": {}}, ("invalid_held_runs", "runs[0].command.execution_id: is missing")),
    ],
)
async def test_what_holds_no_executions_is_a_dead_letter(change: dict[str, Any], said: tuple[str, str]) -> None:
    """With the field named; what is beside it in the batch waits."""
    limited = Limited(1)
    limited.world.workflow(1)
    await limited.run("a", "b", "c")
    good, bad = limited.world.sender.on("t.over-quota")
    limited.timers.set_timers.clear()
    content = orjson.loads(bad.value or b"")
    content |= {name: value for name, value in change.items() if name == "runs"}
    for run in content["runs"]:
        run |= {name: value for name, value in change.items() if name in run}
    bad = replace(bad, **{"value": orjson.dumps(content)} | {k: v for k, v in change.items() if k in {"key", "value"}})
    (letter,) = await limited.park([bad, good])
    found = DeadLetter.model_validate_json(letter.value or b"")
    assert found.reason == said[0]
    assert said[1] in found.detail
    assert len(limited.timers.set_timers) == 1


async def test_of_one_event_all_that_waits_is_one_record() -> None:
    """Twenty workflows: the event is sent once, and each command is as it would have been; another owner's apart."""
    limited = Limited(1)
    for number in range(1, 23):
        limited.world.workflow(number, owner=OTHER if number > 20 else OWNER)
    await limited.run("a")
    first, second = limited.world.sender.on("t.over-quota")
    assert len(first.value or b"") < 20 * 1_000
    assert (len(orjson.loads(first.value or b"")["runs"]), len(orjson.loads(second.value or b"")["runs"])) == (19, 1)


async def test_large_ones_are_several_records() -> None:
    """Each is one that Kafka takes, and all wait."""
    limited = Limited(1)
    for number in range(1, 12):
        limited.world.workflow(number, description="x" * 100, actions=LARGE)
    await limited.run("a")
    sent = limited.world.sender.on("t.over-quota")
    assert (len(sent) > 2, max(one.size for one in sent) < 512 * 1024) == (True, True)
    assert len(limited.timers.set_timers) == 10


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


@pytest.mark.parametrize("minutes", [-30, 30])
async def test_a_clock_that_is_set_makes_nobody_wait_for_it(minutes: int) -> None:
    """Set back by half an hour, the runs until then would count for that much more; set ahead, none of them."""
    limited = Limited(2)
    limited.world.workflow(1)
    await limited.run("a", "b")
    limited.world.off = timedelta(minutes=minutes)
    assert await limited.run("c") == []
    (waiting,) = limited.timers.set_timers.values()
    assert waiting.due - (limited.world.now + limited.world.off) == timedelta(seconds=30)
    limited.world.now += timedelta(seconds=120)
    assert await limited.run("d") == ["9"]


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
