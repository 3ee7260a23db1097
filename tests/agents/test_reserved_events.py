"""What is Headrace's own is taken from the topic alone that only Headrace writes."""

from typing import Any
from uuid import UUID

import orjson
import pytest
from prometheus_client import REGISTRY

from schemas.dead_letter import DeadLetter
from tests.agents.test_matcher import World
from tests.support.records import FakeRecord, cloud_event, event_record, own_record

VICTIM = UUID(int=1)
OURS = [
    {"source": "/headrace/scheduler", "id": f"{VICTIM}/2026-12-01T08:00:00+00:00"},
    {"source": "/headrace/manual"},
    {"source": "//Headrace/crm"},
    {"source": "/%68eadrace/sales"},
    {"workflowid": str(VICTIM)},
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
    before = REGISTRY.get_sample_value("headrace_events_total", {"outcome": "reserved"}) or 0
    await world.process([_binary(**claims) if binary else event_record(**claims), event_record(id="good")])
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


def _binary(**claims: Any) -> FakeRecord:
    event = cloud_event(**claims)
    headers = [(f"ce_{name}", str(value).encode()) for name, value in event.items() if name != "data"]
    return FakeRecord(orjson.dumps(event["data"]), headers=headers)
