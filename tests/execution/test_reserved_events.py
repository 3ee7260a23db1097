"""What is Headrace's own is taken from the topic alone that only Headrace writes, and others' from that of its type."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import pytest
from prometheus_client import REGISTRY

from app.topics import Topics
from schemas.dead_letter import DeadLetter
from schemas.event_types import BUSINESS_EVENT_TYPES, TEMPORAL_EVENT_TYPES
from tests.execution.test_matching import World
from tests.support.records import FakeRecord, cloud_event, event_record, own_record

TOPICS = Topics("t.")
VICTIM = UUID(int=1)
DAILY = {"type": "temporal.daily", "config": {"at": "09:00"}}
OURS = [
    {"source": "/headrace/scheduler", "id": f"{VICTIM}/2026-12-01T08:00:00+00:00"},
    {"source": "/headrace/manual"},
    {"source": "//Headrace/crm"},
    {"source": "/%68eadrace/sales"},
    {"workflowid": str(VICTIM)},
    {"type": "temporal.daily"},
    {"source": "/headrace/manual", "workflowid": str(VICTIM)},
]


@pytest.mark.parametrize("claims", OURS)
@pytest.mark.parametrize("binary", [False, True])
async def test_what_claims_to_be_ours_on_a_topic_of_others_is_a_dead_letter(
    claims: dict[str, Any], *, binary: bool
) -> None:
    """In both modes: no workflow runs, the letter says why and names the attribute, and it is counted by its reason."""
    world = World()
    world.workflow(1)
    world.workflow(2, trigger=DAILY)
    before = REGISTRY.get_sample_value("headrace_events_total", {"outcome": "reserved"}) or 0
    claimed = _binary(**claims) if binary else replace(event_record(**claims), topic="t.events.order")
    await world.process([claimed, event_record(id="good")])
    letter = DeadLetter.model_validate_json(world.sender.on("t.dead-letters")[0].value or b"")
    assert (letter.reason, letter.topic) == ("reserved", "t.events.order")
    assert all(f"{name}: " in letter.detail for name in claims.keys() - {"id"})
    assert [orjson.loads(one.value or b"")["event"]["id"] for one in world.sender.on("t.actions.apply_tag")] == ["good"]
    assert REGISTRY.get_sample_value("headrace_events_total", {"outcome": "reserved"}) == before + 1


@pytest.mark.parametrize("claims", OURS)
async def test_the_same_on_the_internal_topic_runs(claims: dict[str, Any]) -> None:
    """There it is what it says."""
    world = World()
    world.workflow(1)
    world.workflow(2, trigger=DAILY)
    await world.process([own_record(**claims)])
    assert len(world.sender.on("t.actions.apply_tag")) == 1
    assert world.sender.on("t.dead-letters") == []


async def test_a_letter_of_another_topic_stays_one_when_it_is_replayed() -> None:
    """A replay goes to the topic it came from, where it is refused again."""
    world = World()
    world.workflow(1)
    claimed = event_record(source="/headrace/manual", workflowid=str(VICTIM))
    for _ in range(2):
        await world.process([claimed])
    letters = [DeadLetter.model_validate_json(one.value or b"") for one in world.sender.on("t.dead-letters")]
    assert [(letter.topic, letter.reason) for letter in letters] == [("t.events.order", "reserved")] * 2


@pytest.mark.parametrize("topic", [*TOPICS.outside_events(), "t.events.temporal"])
@pytest.mark.parametrize("event_type", TEMPORAL_EVENT_TYPES)
async def test_nobody_runs_schedules_early(event_type: str, topic: str) -> None:
    """On whatever topic of others, that of earlier versions too: a letter that names the type, and nothing runs."""
    world = World()
    world.workflow(1, trigger=_trigger(event_type))
    await world.process([replace(event_record(type=event_type), topic=topic)])
    (letter,) = [DeadLetter.model_validate_json(one.value or b"") for one in world.sender.records]
    assert (letter.reason, letter.detail.partition(":")[0]) == ("reserved", "type")


@pytest.mark.parametrize("event_type", [*BUSINESS_EVENT_TYPES, "custom.loyalty"])
async def test_a_topic_holds_events_of_its_own_group_alone(event_type: str) -> None:
    """Who may write orders makes no customers: a letter that names the right topic, counted by its reason."""
    for topic in TOPICS.outside_events():
        world = World()
        world.workflow(1, trigger=_trigger(event_type))
        before = REGISTRY.get_sample_value("headrace_events_total", {"outcome": "wrong_topic"}) or 0
        await world.process([replace(event_record(type=event_type), topic=topic)])
        after = REGISTRY.get_sample_value("headrace_events_total", {"outcome": "wrong_topic"}) or 0
        letters = [DeadLetter.model_validate_json(one.value or b"") for one in world.sender.on("t.dead-letters")]
        if topic == TOPICS.events(event_type):
            assert (letters, after, len(world.sender.on("t.actions.apply_tag"))) == ([], before, 1)
        else:
            assert [one.reason for one in letters] == ["wrong_topic"]
            assert letters[0].detail == f"type: {event_type} belongs on {TOPICS.events(event_type)}"
            assert (after, len(world.sender.records)) == (before + 1, 1)


def _trigger(event_type: str) -> dict[str, Any]:
    configs = {
        "daily": {"at": "09:00"},
        "weekly": {"at": "09:00", "days": ["mon"]},
        "monthly": {"at": "09:00", "day": 1},
    }
    own = event_type.startswith("temporal.")
    return {"type": event_type, "config": configs[event_type.partition(".")[2]] if own else {}}


def _binary(**claims: Any) -> FakeRecord:
    event = cloud_event(**claims)
    headers = [(f"ce_{name}", str(value).encode()) for name, value in event.items() if name != "data"]
    return FakeRecord(orjson.dumps(event["data"]), headers=headers)
