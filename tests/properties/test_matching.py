"""Properties 6 to 8 and 23: events and the workflows they start."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.ingest.emitter import EventEmitter
from schemas.command import Command
from schemas.event import Event
from schemas.event_types import BUSINESS_EVENT_TYPES
from schemas.incoming import decode_event
from tests.admin.conftest import Api, User
from tests.admin.test_workflows import address
from tests.domain.condition_oracle import met
from tests.properties.engine import Engine, event, new_type
from tests.properties.examples import DATA, LEAVES, PROPERTY, TAGS, exact
from tests.support.records import FakeRecord
from tests.support.sender import MemorySender
from tests.support.subscriber import MemoryGroup, MemorySubscriber
from tests.support.waiting import in_time

EXTENSIONS = st.fixed_dictionaries(
    {}, optional={"time": st.just("2026-03-01T09:30:00Z"), "partitionkey": TAGS, "shopregion": TAGS, "subject": TAGS}
)


@dataclass
class Waiting:
    """Somebody whose workflows wait for the types of events that there are, one each."""

    engine: Engine
    user: User
    made: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def wait_for(self, kind: str) -> None:
        """Wait for a type from now on."""
        if kind not in self.made:
            action = {"type": "stop_workflow", "config": {}}
            self.made[kind] = await self.engine.workflow(self.user, action, trigger={"type": kind})

    async def shown(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Return the event of the newest execution, as the API shows it."""
        (row, *_) = await self.engine.executions(self.user, self.made[sent["type"]], sort="-executed_at")
        answer = await self.user.call("GET", f"/api/v1/executions/{row['id']}")
        found: dict[str, Any] = answer.json["event"]
        return found


@pytest.fixture
async def waiting(engine: Engine, api: Api) -> AsyncIterator[Waiting]:
    """Such a one; in the end the workflows are deleted."""
    one = Waiting(engine, api.user())
    yield one
    ids = [workflow["id"] for workflow in one.made.values()]
    await one.user.call("POST", "/api/v1/workflows/bulk", {"ids": ids, "do": "delete"})


# Feature: automations-workflows, Property 6: Event Emission Completeness
@PROPERTY
@given(kind=st.sampled_from(BUSINESS_EVENT_TYPES), data=DATA, more=EXTENSIONS)
async def test_06_an_event_is_broadcast_with_all_its_data(
    engine: Engine, waiting: Waiting, kind: str, data: dict[str, Any], more: dict[str, str]
) -> None:
    """On its type's topic, under its entity, every attribute and all data as they were; emitted or posted.

    Whoever listens for the type gets it so too, and the execution that it starts shows it so.
    """
    await waiting.wait_for(kind)
    engine.forget()
    sent = {**event(kind, **data), **more}
    memory, heard = MemorySender(), asyncio.Queue[Event]()
    emitter = EventEmitter(memory, engine.topics, MemorySubscriber(MemoryGroup(memory)))
    emitter.on(kind, heard.put)
    assert await emitter.emit(sent) == sent["id"]
    listening = asyncio.create_task(emitter.listen())
    assert (await in_time(heard.get(), 10, what="the event")).model_dump(mode="json", exclude_unset=True) == sent
    listening.cancel()
    await engine.emit(sent)
    for record in (memory.records[-1], engine.sent(engine.topics.events(kind))[-1]):
        assert record.topic == engine.topics.events(kind)
        read = decode_event(FakeRecord(record.value, record.key, record.topic, headers=record.headers))
        assert read.raw == sent
        assert read.entity == more.get("partitionkey", sent["subject"])
    assert exact(await waiting.shown(sent)) == exact(sent)


# Feature: automations-workflows, Property 7: Workflow Matching Accuracy
@PROPERTY
@given(
    states=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["on", "off", "deleted"])), min_size=1, max_size=4),
    wanted=st.integers(0, 2),
)
async def test_07_exactly_the_active_workflows_of_the_events_type_are_queued(
    engine: Engine, api: Api, states: list[tuple[int, str]], wanted: int
) -> None:
    """However many others there are: inactive, deleted, or waiting for another type."""
    user, kinds = api.user(), [new_type() for _ in range(3)]
    made, expected = [], []
    for kind, state in states:
        workflow = await engine.workflow(
            user, {"type": "stop_workflow", "config": {}}, trigger={"type": kinds[kind]}, active=state != "off"
        )
        made.append(workflow)
        if state == "deleted":
            await user.call("DELETE", address(workflow))
        if state == "on" and kind == wanted:
            expected.append(workflow["id"])
    engine.forget()
    await engine.emit(event(kinds[wanted]))
    queued = engine.sent(engine.topics.actions("stop_workflow", "normal"))
    commands = [Command.model_validate_json(record.value or b"") for record in queued]
    assert sorted(str(command.workflow.id) for command in commands) == sorted(expected)
    ran = [one["workflow_id"] for workflow in made for one in await engine.executions(user, workflow)]
    assert sorted(ran) == sorted(expected)


# Feature: automations-workflows, Property 8: Condition Evaluation Before Actions
@PROPERTY
@given(conditions=st.lists(LEAVES, min_size=1, max_size=3), data=DATA, name=TAGS)
async def test_08_conditions_are_evaluated_before_any_action(
    engine: Engine, api: Api, conditions: list[dict[str, Any]], data: dict[str, Any], name: str
) -> None:
    """Every verdict stands in the first command that exists; where they are not met no command exists at all."""
    workflow = await engine.workflow(api.user(), {"type": "apply_tag", "config": {"tag": name}}, conditions=conditions)
    sent = event(workflow["trigger"]["type"], **data)
    engine.forget()
    row = await engine.run(workflow, sent)
    expected = met(conditions, sent["data"])
    commands = [orjson.loads(one.value or b"") for one in engine.sent(engine.topics.actions("apply_tag", "normal"))]
    found = await engine.fetch("SELECT tag FROM crm.tags WHERE customer_id = %s", sent["subject"])
    assert len(commands) == expected
    assert [one["tag"] for one in found] == [name] * expected
    assert (row["conditions_met"], row["status"]) == (expected, "success" if expected else "skipped")
    for verdicts in (row["conditions_result"], *(command["verdicts"] for command in commands)):
        assert [verdict["path"] for verdict in verdicts] == [condition["field"] for condition in conditions]
        assert all(isinstance(verdict["met"], bool) for verdict in verdicts)
    assert len(row["actions_executed"]) == expected


# Feature: automations-workflows, Property 23: Async Queue Processing
@PROPERTY
@given(workflows=st.integers(1, 3), customers=st.lists(TAGS, min_size=1, max_size=6))
async def test_23_all_of_many_simultaneous_events_are_queued_and_processed(
    engine: Engine, api: Api, workflows: int, customers: list[str]
) -> None:
    """Emitting returns when they are queued, before anything has run; then each runs once for each workflow."""
    user, kind = api.user(), new_type()
    action = {"type": "create_note", "config": {"text": "{{ event.id }}"}}
    made = [await engine.workflow(user, action, trigger={"type": kind}) for _ in range(workflows)]
    await engine.settle()
    events = [event(kind, customer={"id": customer}) for customer in customers]
    await EventEmitter(api.sender, engine.topics).emit_many(events)
    assert [await engine.rows(workflow) for workflow in made] == [[]] * workflows
    await engine.settle()
    for workflow in made:
        rows = await engine.rows(workflow)
        assert Counter(row["event_id"] for row in rows) == Counter(sent["id"] for sent in events)
        assert {row["status"] for row in rows} == {"success"}
    ids = [sent["id"] for sent in events]
    notes = await engine.fetch("SELECT text, count(*) FROM crm.notes WHERE text = ANY(%s) GROUP BY text", ids)
    assert {note["text"]: note["count"] for note in notes} == dict.fromkeys(ids, workflows)
