"""The matcher, over ports."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from prometheus_client import REGISTRY

from app.domain.causation import Link, extend_chain
from app.domain.ids import execution_id
from app.domain.loops import RunBudget
from app.execution.matching import Matcher
from app.execution.quota import Quota
from app.execution.routing import Router, read_command
from app.execution.tracing import NO_TRACING
from app.ports.outbox import BATCH_BYTES
from app.ports.tracing import Tracer
from app.services.delivery.dead_letters import DeadLetters
from app.services.workflows.index import WorkflowIndex
from app.topics import Topics
from schemas.dead_letter import DeadLetter
from schemas.execution import Execution
from schemas.workflow import Revision
from tests.support.entries import MemoryEntries
from tests.support.parts import whole
from tests.support.quotas import no_quota
from tests.support.records import FakeRecord, cloud_event, event_record, own_record
from tests.support.sender import MemorySender
from tests.support.slips import NOW

TOPICS = Topics("t.")


class World:
    """A matcher with its fakes.

    Attributes:
        now: The time.
        off: How far the matcher's time of day is from that.
    """

    def __init__(
        self,
        budget: int = 0,
        entries: MemoryEntries | None = None,
        quota: Quota | None = None,
        max_age: float = 3600,
        tracer: Tracer | None = None,
        *,
        part_bytes: int = BATCH_BYTES,
    ) -> None:
        self.index = WorkflowIndex()
        self.sender = MemorySender()
        self.entries = entries or MemoryEntries()
        self.now, self.off = datetime.now(UTC), timedelta()
        letters = DeadLetters(topics=TOPICS, sender=self.sender, role="matcher", clock=lambda: self.now)
        self.matcher = Matcher(
            topics=TOPICS,
            index=self.index,
            router=Router(TOPICS, frozenset({"apply_tag", "webhook"})),
            dead_letters=letters,
            max_age=max_age,
            clock=lambda: self.now + self.off,
            monotonic=self.seconds,
            budget=RunBudget(budget, 60),
            entries=self.entries,
            quota=quota or no_quota(),
            tracer=tracer or NO_TRACING,
            part_bytes=part_bytes,
        )

    def seconds(self) -> float:
        """Tell the time by a clock that nobody sets."""
        return self.now.timestamp()

    async def process(self, records: list[FakeRecord]) -> None:
        """Match a batch and send what follows."""
        await self.sender.send_all(await whole(self.matcher.process(records)))

    def workflow(self, number: int, minimum: int = 0, **changes: object) -> Revision:
        """Activate a workflow that tags customers of large orders."""
        revision = Revision.model_validate(
            {
                "id": UUID(int=number),
                "version": 1,
                "name": f"w{number}",
                "active": True,
                "trigger": {"type": "order.paid"},
                "conditions": [{"field": "order.total", "operator": ">", "value": minimum}],
                "actions": [
                    {"type": "webhook", "order": 2, "config": {}},
                    {"type": "apply_tag", "order": 1, "config": {"tag": "x"}},
                ],
                "owner": UUID(int=9),
                "updated_at": NOW,
                **changes,
            }
        )
        self.index.apply(revision)
        return revision


async def test_a_header_that_no_slip_could_hold_is_a_dead_letter() -> None:
    """1.2 MB in one ce_ header: too_large, and the event beside it starts its workflow."""
    world = World()
    world.workflow(1)
    headers = [(f"ce_{name}", str(value).encode()) for name, value in cloud_event().items() if name != "data"]
    large = FakeRecord(orjson.dumps(cloud_event()["data"]), headers=[*headers, ("ce_note", b"x" * 1_200_000)])
    await world.process([large, event_record(id="e-2")])
    (letter,) = world.sender.on("t.dead-letters")
    assert DeadLetter.model_validate_json(letter.value or b"").reason == "too_large"
    assert len(world.sender.on("t.actions.apply_tag")) == 1


async def test_what_follows_from_an_event_says_so() -> None:
    """Commands, rows of what did not run and blocked ones: should one be refused, its event is the dead letter."""
    world = World()
    world.workflow(1)
    world.workflow(2, minimum=1000)
    world.workflow(3, actions=[{"type": "teleport", "order": 1, "config": {}}])
    records = [event_record(id="e-1"), event_record(id="e-2")]
    made = await whole(world.matcher.process(records))
    assert [record.cause for record in made] == [records[0]] * 3 + [records[1]] * 3


@pytest.mark.parametrize(("events", "size"), [(256, 0), (30, 50_000), (2, 200_000)])
async def test_what_follows_from_many_or_large_events_comes_in_parts(events: int, size: int) -> None:
    """Of gigabytes too no part is much larger than one record more than it should be; nothing is left out, in order."""
    world, workflows = World(), 60
    for number in range(workflows):
        world.workflow(number + 1, minimum=1_000_000)
    batch = [event_record(id=f"e-{at}", data={"order": {"total": 1}, "text": "x" * size}) for at in range(events)]
    most = BATCH_BYTES + size + 2048
    seen: list[UUID] = []
    done: list[FakeRecord] = []
    async for part in world.matcher.process(batch):
        assert sum(len(one.value or b"") for one in part.records) <= most
        seen += [UUID(orjson.loads(one.value or b"")["workflow_id"]) for one in part.records]
        done += part.done
        assert len(done) <= len(seen) / workflows < len(done) + 1.1
    assert done == batch
    assert seen == [UUID(int=number + 1) for number in range(workflows)] * events


async def test_an_event_starts_each_matching_workflow_at_its_first_step() -> None:
    """Two active workflows, two commands; each for the action of lowest order, keyed by the entity."""
    world = World()
    world.workflow(1)
    world.workflow(2)
    record = event_record()
    await world.process([record])
    sent = world.sender.on("t.actions.apply_tag")
    assert [item.key for item in sent] == [b"c1", b"c1"]
    commands = [read_command(FakeRecord(item.value), "apply_tag") for item in sent]
    assert [item.execution_id for item in commands] == [execution_id(UUID(int=n), "/shop", "e-1") for n in (1, 2)]
    assert commands[0].event == orjson.loads(record.value or b"")
    assert [step.type for step in commands[0].workflow.actions] == ["apply_tag", "webhook"]


async def test_a_workflow_whose_conditions_fail_is_logged_with_its_verdicts() -> None:
    """Not met: no command, one skipped execution of attempt 0 that says why."""
    world = World()
    world.workflow(1, minimum=500)
    await world.process([event_record()])
    assert not world.sender.on("t.actions.apply_tag")
    (record,) = world.sender.on("t.executions")
    execution = Execution.model_validate_json(record.value or b"")
    assert (execution.status, execution.attempt, execution.conditions_met) == ("skipped", 0, False)
    (verdict,) = execution.verdicts
    assert (verdict["expected"], verdict["actual"], verdict["met"]) == (500, 120, False)


@pytest.mark.parametrize("changes", [{"active": False}, {"deleted": True}, {"trigger": {"type": "order.created"}}])
async def test_other_workflows_do_not_run(changes: dict[str, Any]) -> None:
    """Inactive, deleted, or another trigger type: nothing follows from the event."""
    world = World()
    world.workflow(1, **changes)
    await world.process([event_record()])
    assert not world.sender.records


async def test_an_event_for_one_workflow_starts_no_other() -> None:
    """``workflowid`` names the only one that may run, if it is active and waits for this type."""
    world = World()
    world.workflow(1)
    world.workflow(2)
    world.workflow(3, trigger={"type": "order.created"})
    for number in (2, 3, 4):
        await world.process([own_record(id=f"e-{number}", workflowid=str(UUID(int=number)))])
    (sent,) = world.sender.records
    assert read_command(FakeRecord(sent.value), "apply_tag").workflow.id == UUID(int=2)


async def test_a_high_priority_workflow_takes_the_high_lane() -> None:
    """Priority 1 to 3 goes to the high lane, 4 does not."""
    world = World()
    world.workflow(1, priority=3)
    world.workflow(2, priority=4)
    await world.process([event_record()])
    assert len(world.sender.on("t.actions.apply_tag.high")) == 1
    assert len(world.sender.on("t.actions.apply_tag")) == 1


async def test_the_same_event_twice_is_the_same_execution() -> None:
    """A redelivered or re-produced event gives the same ids, so the receipts stop the second run."""
    world = World()
    world.workflow(1)
    await world.process([event_record(), event_record()])
    ids = {read_command(FakeRecord(item.value), "apply_tag").id for item in world.sender.on("t.actions.apply_tag")}
    assert len(ids) == 1


async def test_poison_becomes_a_dead_letter_and_its_neighbours_go_on() -> None:
    """One bad record never stalls or loses the others of its batch."""
    world = World()
    world.workflow(1)
    bad = FakeRecord(b"{nope", topic="t.events.order", partition=3, offset=41)
    await world.process([event_record(id="a"), bad, event_record(id="b")])
    assert len(world.sender.on("t.actions.apply_tag")) == 2
    (letter,) = world.sender.on("t.dead-letters")
    decoded = DeadLetter.model_validate_json(letter.value or b"")
    assert (decoded.topic, decoded.partition, decoded.offset, decoded.reason) == ("t.events.order", 3, 41, "not_json")


async def test_a_mistake_of_ours_is_a_dead_letter_too() -> None:
    """If matching itself raises, the record is kept with the error and the batch goes on."""
    world = World()
    world.workflow(1)

    class Broken(WorkflowIndex):
        def matching(self, event_type: str) -> tuple[()]:
            raise RuntimeError(event_type)

    broken = Matcher(
        topics=TOPICS,
        index=Broken(),
        router=Router(TOPICS, frozenset()),
        dead_letters=DeadLetters(topics=TOPICS, sender=world.sender, role="matcher", clock=lambda: world.now),
        max_age=3600,
        clock=lambda: world.now,
        budget=RunBudget(0, 60),
        entries=MemoryEntries(),
        quota=no_quota(),
    )
    await world.sender.send_all(await whole(broken.process([event_record()])))
    (letter,) = world.sender.on("t.dead-letters")
    read = DeadLetter.model_validate_json(letter.value or b"")
    assert (read.reason, read.detail) == ("internal_error", "RuntimeError")  # what the error quotes is the log's


async def test_an_event_older_than_the_horizon_is_skipped() -> None:
    """Receipts do not live for ever, so neither may an event (EVENT_MAX_AGE), by Kafka's timestamp."""
    world = World()
    world.workflow(1)
    record = event_record()
    record.timestamp = (world.now - timedelta(seconds=3601)).timestamp()
    await world.process([record])
    assert not world.sender.records


@pytest.mark.parametrize("far", [-1.7e9, 0.0, 1_772_359.2, 95_617_584_000.0, 1_772_359_200_000.0, 9.2e15])
async def test_an_absurd_timestamp_is_a_dead_letter_of_its_own(far: float) -> None:
    """1970, the year 5000, seconds for milliseconds: neither too old nor run; the letter says what was seen."""
    world = World()
    world.workflow(1)
    record = event_record()
    record.timestamp = far
    before = outcome("too_old"), outcome("absurd_timestamp")
    await world.process([record, event_record(id="e-2")])
    (sent,) = world.sender.on("t.dead-letters")
    letter = DeadLetter.model_validate_json(sent.value or b"")
    assert (letter.reason, letter.event_id) == ("absurd_timestamp", "e-1")
    assert f"{far * 1000:.0f} ms" in letter.detail
    assert (outcome("too_old"), outcome("absurd_timestamp")) == (before[0], before[1] + 1)
    assert len(world.sender.on("t.actions.apply_tag")) == 1


async def test_a_workflow_that_is_turned_away_is_counted() -> None:
    """Also where another workflow of the same event runs."""
    world = World()
    world.workflow(1)
    world.workflow(2)
    before = REGISTRY.get_sample_value("headrace_plans_total", {"met": "turned_away"}) or 0.0
    await world.process([own_record(workflowid=str(UUID(int=1)))])
    assert REGISTRY.get_sample_value("headrace_plans_total", {"met": "turned_away"}) == before + 1


def outcome(name: str) -> float:
    """How many events have come to this."""
    return REGISTRY.get_sample_value("headrace_events_total", {"outcome": name}) or 0.0


async def test_the_events_own_time_does_not_make_it_old() -> None:
    """A business event may tell of the past; only how long it lay in Kafka counts."""
    world = World()
    world.workflow(1)
    await world.process([FakeRecord(orjson.dumps(cloud_event(time="2016-09-04T21:15:19Z")))])
    assert world.sender.on("t.actions.apply_tag")


def chain_of(*workflows: int) -> str:
    """Return a chain of executions of these workflows."""
    chain: str | None = None
    for number, workflow in enumerate(workflows):
        chain = extend_chain(chain, Link(UUID(int=workflow), UUID(int=100 + number)))
    return chain or ""


def logged(world: World) -> list[Execution]:
    """Return the executions that the matcher logged itself."""
    return [Execution.model_validate_json(item.value or b"") for item in world.sender.on("t.executions")]


async def test_a_workflow_in_the_chain_three_times_is_blocked() -> None:
    """It is logged once as blocked, with the reason; another workflow of the same event runs."""
    world = World()
    world.workflow(1)
    world.workflow(2)
    await world.process([event_record(causation=chain_of(1, 2, 1, 1))])
    (execution,) = logged(world)
    assert (execution.workflow_id, execution.status, execution.attempt) == (UUID(int=1), "blocked", 0)
    assert not execution.conditions_met
    assert "3 times in the chain" in (execution.error or "")
    assert len(world.sender.on("t.actions.apply_tag")) == 1


async def test_a_workflow_in_the_chain_twice_runs() -> None:
    """The third iteration is the last that may start."""
    world = World()
    world.workflow(1)
    await world.process([event_record(causation=chain_of(1, 2, 1))])
    assert len(world.sender.on("t.actions.apply_tag")) == 1
    assert not logged(world)


async def test_a_workflow_over_its_budget_is_blocked() -> None:
    """Events of one entity without any chain start it so often and no more; a redelivered event is still one run."""
    world = World(budget=2)
    world.workflow(1)
    await world.process([event_record(id="a"), event_record(id="a"), event_record(id="b"), event_record(id="c")])
    assert len(world.sender.on("t.actions.apply_tag")) == 3
    (execution,) = logged(world)
    assert (execution.event["id"], execution.status, execution.conditions_met) == ("c", "blocked", True)
    assert "over its budget" in (execution.error or "")


async def test_a_trigger_config_that_asks_for_another_event_makes_no_execution() -> None:
    """Neither a run nor a row: the event is none that the workflow is about."""
    world = World()
    world.workflow(1, trigger={"type": "tag.applied", "config": {"tag": "VIP"}}, conditions=[])
    tagged = {"customer": {"id": "c1"}, "tag": "VIP"}
    await world.process(
        [
            event_record(id="a", type="tag.applied", data=tagged),
            event_record(id="b", type="tag.applied", data={**tagged, "tag": "new"}),
        ]
    )
    (sent,) = world.sender.on("t.actions.apply_tag")
    assert read_command(FakeRecord(sent.value), "apply_tag").event["id"] == "a"
    assert not logged(world)


def skips(world: World) -> list[tuple[str, str | None]]:
    """Return event and reason of each execution that was skipped with its conditions met."""
    return [(one.event["id"], one.error) for one in logged(world) if one.status == "skipped" and one.conditions_met]


@pytest.mark.parametrize(
    ("ahead", "entered"), [(timedelta(seconds=-1), timedelta(seconds=-1)), (timedelta(seconds=1), timedelta())]
)
async def test_an_entity_enters_once(ahead: timedelta, entered: timedelta) -> None:
    """The first event of each entity starts the workflow, later ones are logged as skipped, with since when.

    That is the first one's Kafka timestamp, but never later than it was matched: clocks differ.
    """
    world = World()
    world.workflow(1, reentry="once")
    first, later = event_record(id="a"), event_record(id="b")
    first.timestamp = (world.now + ahead).timestamp()
    await world.process([first, event_record(key=b"c2", id="c")])
    await world.process([later])
    assert len(world.sender.on("t.actions.apply_tag")) == 2
    ((event, reason),) = skips(world)
    since = (world.now + entered).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert (event, reason) == ("b", f"this entity entered the workflow at {since}, and may enter it only once")
    assert logged(world)[0].attempt == 0


def carted(name: str, cart: object, key: bytes = b"c1") -> FakeRecord:
    """Return an event of a cart."""
    return event_record(key, id=name, data={"order": {"total": 120}, "customer": {"id": name}, "cart": {"id": cart}})


async def test_a_cart_enters_once_an_hour_whoever_it_is_of() -> None:
    """``reentry`` by a field: its value counts and the entity does not; the reason names field and value."""
    world = World()
    world.workflow(1, reentry={"once_per": "1 hour", "key": "cart.id"})
    await world.process([carted("a", "k-1"), carted("b", "k-2"), carted("c", "k-1", key=b"c2")])
    assert len(world.sender.on("t.actions.apply_tag")) == 2
    ((event, reason),) = skips(world)
    assert event == "c"
    assert reason is not None
    assert reason.startswith('an event with cart.id "k-1" entered the workflow at ')
    assert reason.endswith(", and may enter it once per 1 hour")


async def test_events_without_the_key_are_not_merged() -> None:
    """Each is skipped, counted, and says what it lacks; it is no entry of its entity, and none of nobody."""
    counted = "headrace_reentries_without_key_total"
    before = REGISTRY.get_sample_value(counted) or 0
    world = World()
    world.workflow(1, reentry={"once": True, "key": "cart.id"})
    await world.process([carted("a", None), event_record(id="b"), carted("c", "k-1"), carted("d", {})])
    assert len(world.sender.on("t.actions.apply_tag")) == 1
    rest = "and the workflow may be entered only once for each value of it"
    said = [("a", "null"), ("b", "missing"), ("d", "an object")]
    assert skips(world) == [(name, f"cart.id is {what}, {rest}") for name, what in said]
    assert (REGISTRY.get_sample_value(counted) or 0) - before == 3


async def test_another_key_has_entries_of_its_own() -> None:
    """A workflow that is changed to count by another field is not held to what entered by the first."""
    world = World()
    for version, reentry in enumerate(("once", {"once": True, "key": "cart.id"}, {"once": True, "key": "order.id"}), 1):
        world.workflow(1, reentry=reentry, version=version)
        data = {"order": {"total": 120, "id": "c1"}, "cart": {"id": "c1"}}
        await world.process([event_record(id=f"{version}-{n}", data=data) for n in range(2)])
    assert len(world.sender.on("t.actions.apply_tag")) == 3
    assert [event for event, _ in skips(world)] == ["1-1", "2-1", "3-1"]


async def test_an_event_delivered_again_is_the_same_run_and_the_same_skip() -> None:
    """After a restart the batch comes again: the run is sent again, what was skipped is skipped, though later."""
    world = World()
    world.workflow(1, reentry="once per 1 minute")
    batch = [event_record(id="a"), event_record(id="b")]
    batch[1].timestamp = (batch[0].timestamp or 0) + 59
    world.now += timedelta(seconds=59)
    await world.process(batch)
    world.now += timedelta(minutes=10)
    await world.process(batch)
    commands = [read_command(FakeRecord(item.value), "apply_tag") for item in world.sender.on("t.actions.apply_tag")]
    assert [command.event["id"] for command in commands] == ["a", "a"]
    assert commands[0].id == commands[1].id
    assert [event for event, _ in skips(world)] == ["b", "b"]


async def test_what_does_not_run_is_no_entry() -> None:
    """An event whose conditions fail, and one that is blocked as a loop, leave the way in open."""
    world = World()
    world.workflow(1, reentry="once", minimum=100)
    small = {"order": {"total": 5}, "customer": {"id": "c1"}}
    looped = event_record(id="b", causation=chain_of(1, 1, 1))
    await world.process([event_record(id="a", data=small), looped, event_record(id="c")])
    (sent,) = world.sender.on("t.actions.apply_tag")
    assert read_command(FakeRecord(sent.value), "apply_tag").event["id"] == "c"


@pytest.mark.parametrize("minutes", [-30, 30])
async def test_a_budget_lasts_as_long_as_it_says_where_the_clock_is_set(minutes: int) -> None:
    """Set ahead it is not over sooner, and set back it is over in time."""
    world = World(budget=1)
    world.workflow(1)
    await world.process([event_record(id="e-1")])
    world.off = timedelta(minutes=minutes)
    await world.process([event_record(id="e-2")])
    world.now += timedelta(seconds=61)
    await world.process([event_record(id="e-3")])
    started = [orjson.loads(one.value or b"")["event"]["id"] for one in world.sender.on("t.actions.apply_tag")]
    assert started == ["e-1", "e-3"]


async def test_what_may_not_enter_costs_no_budget() -> None:
    """Only runs count: a workflow that keeps most events out is no loop."""
    world = World(budget=1)
    world.workflow(1, reentry="once")
    await world.process([event_record(id=name) for name in "abcd"])
    assert [event for event, _ in skips(world)] == ["b", "c", "d"]
    assert not [one for one in logged(world) if one.status == "blocked"]


async def test_a_run_by_hand_is_judged_like_any_other() -> None:
    """Naming the workflow does not open it again, and an entity that was sent in by hand has entered."""
    world = World()
    world.workflow(1, reentry="once")
    await world.process([own_record(id="a", workflowid=str(UUID(int=1)))])
    await world.process([own_record(id="b", workflowid=str(UUID(int=1))), event_record(id="c")])
    assert [event for event, _ in skips(world)] == ["b", "c"]


async def test_workflows_without_a_bound_ask_nobody() -> None:
    """The entries are asked once a batch, and only where a workflow of its events has a bound."""
    world = World()
    world.workflow(1)
    await world.process([event_record(id=name) for name in "abc"])
    assert world.entries.asked == 0
    world.workflow(2, reentry="once")
    await world.process([event_record(id=name) for name in "def"])
    assert world.entries.asked == 1


def events_counted(outcome: str) -> float:
    """Return how many events came to this."""
    return REGISTRY.get_sample_value("headrace_events_total", {"outcome": outcome}) or 0.0


async def test_what_only_a_config_turns_away_has_a_count_of_its_own() -> None:
    """It is no event that no workflow waits for, and none that matched."""
    world = World()
    world.workflow(1, trigger={"type": "tag.applied", "config": {"tag": "VIP"}}, conditions=[])
    names = ("matched", "turned_away", "no_workflow")
    before = [events_counted(name) for name in names]
    for number, tag in enumerate(("VIP", "new")):
        await world.process([event_record(id=f"e-{number}", type="tag.applied", data={"tag": tag})])
    await world.process([event_record(id="other", type="order.created")])
    assert [events_counted(name) - was for name, was in zip(names, before, strict=True)] == [1, 1, 1]
