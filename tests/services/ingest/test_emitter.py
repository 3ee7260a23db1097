"""The event emitter checks, routes and keys events."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidError, UnreachableError
from app.services.ingest.emitter import EventEmitter
from app.topics import Topics
from schemas.event import MAX_EVENT_BYTES, Event
from schemas.event_types import BUSINESS_EVENT_TYPES, TEMPORAL_EVENT_TYPES
from schemas.incoming import load_object
from tests.support.sender import MemorySender

TOPICS = Topics("t.")


def order(**changes: Any) -> dict[str, Any]:
    """An order event with ``changes``; None removes an attribute."""
    event = {"specversion": "1.0", "id": "o-1", "source": "/shop", "type": "order.paid", "subject": "c-1"}
    merged = {**event, "data": {"order": {"total": "199.00"}}, **changes}
    return {name: value for name, value in merged.items() if value is not None}


async def emitted(event: Any) -> Any:
    """Emit one event and return its record."""
    sender = MemorySender()
    await EventEmitter(sender, TOPICS).emit(event)
    (record,) = sender.records
    return record


async def refused(event: Any) -> dict[str, str]:
    """Emit a wrong event and return the errors by path; nothing may have been sent."""
    sender = MemorySender()
    with pytest.raises(InvalidError) as caught:
        await EventEmitter(sender, TOPICS).emit(event)
    assert sender.records == []
    return {error.path: error.message for error in caught.value.errors}


@pytest.mark.parametrize("event_type", [*BUSINESS_EVENT_TYPES, "custom.loyalty"])
async def test_each_type_flows_through_the_topic_of_its_group(event_type: str) -> None:
    """Each type goes to the topic that ``Topics`` declares for it, and that topic exists."""
    record = await emitted(order(type=event_type))
    assert record.topic == TOPICS.events(event_type)
    assert record.topic in TOPICS.outside_events()
    assert record.topic != TOPICS.internal_events


@pytest.mark.parametrize("event_type", TEMPORAL_EVENT_TYPES)
async def test_events_of_schedules_are_not_for_others_to_emit(event_type: str) -> None:
    """One would run everybody's workflows of that kind; of a batch nothing is sent."""
    assert list(await refused(order(type=event_type))) == ["type"]
    sender = MemorySender()
    with pytest.raises(InvalidError, match=r"\[1\].type: temporal events are Headrace's own"):
        await EventEmitter(sender, TOPICS).emit_many([order(), order(id="o-2", type=event_type)])
    assert sender.records == []


async def test_attributes_are_called_as_cloudevents_calls_them() -> None:
    """Another spelling is refused by its name, whether the right one is there or not."""
    assert list(await refused(order(workflowId="x", ID="o-2", tenant="t"))) == ["workflowId", "ID"]


@given(
    data=st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(2**63), 2**63 - 1)
            | st.floats(allow_nan=False, allow_infinity=False),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=5,
        ),
        max_size=4,
    )
)
async def test_an_event_is_emitted_complete(data: dict[str, Any]) -> None:
    """Property 6: what arrives is what was emitted, extension attributes included."""
    event = order(data=data, traceparent="00-ab", causation="w/e")
    record = await emitted(event)
    assert orjson.loads(record.value) == event
    assert load_object(record.value) == event


async def test_an_event_object_is_emitted_with_its_extensions() -> None:
    """An ``Event`` carries its extension attributes to Kafka too."""
    value = orjson.loads((await emitted(Event.model_validate(order(region="south")))).value)
    assert value["region"] == "south"
    assert "time" not in value


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"partitionkey": "p", "data": {"customer": {"id": "c"}}}, b"p"),
        ({"data": {"customer": {"id": "c"}}}, b"c-1"),
        ({"subject": None, "data": {"customer": {"id": "c"}}}, b"c"),
        ({"subject": None, "data": {"customer": {"id": 7}}}, b"7"),
        ({"subject": None, "data": {"customer": {"id": True}}}, b"o-1"),
        ({"subject": None, "data": {"customer": []}}, b"o-1"),
        ({"subject": None}, b"o-1"),
    ],
)
async def test_the_key_is_the_entity(changes: dict[str, Any], key: bytes) -> None:
    """A partition key goes before the subject, that before data.customer.id; without any the event stands alone."""
    assert (await emitted(order(**changes))).key == key


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"type": "order"}, "type"),
        ({"type": None}, "type"),
        ({"id": ""}, "id"),
        ({"id": 7}, "id"),
        ({"source": None}, "source"),
        ({"specversion": "0.3"}, "specversion"),
        ({"time": "yesterday"}, "time"),
        ({"time": "2026-03-01T09:00:00"}, "time"),
        ({"data": [1]}, "data"),
        ({"subject": "x" * 257}, "subject"),
        ({"subject": None, "data": {"customer": {"id": "x" * 513}}}, "data.customer.id"),
        ({"subject": "\N{GRINNING FACE}" * 200}, "subject"),
        ({"subject": None, "id": "\N{GRINNING FACE}" * 200}, "id"),
        ({"data_base64": "AA=="}, "data_base64"),
        ({"data": {"text": "a\x00b"}}, "data.text"),
        ({"data": {"\x00": 1}}, "data"),
        ({"data": {"n": 2**64}}, ""),
        ({"data": {"text": "\ud800"}}, ""),
        ({"data": {"text": "x" * MAX_EVENT_BYTES}}, ""),
    ],
)
async def test_a_wrong_field_is_named(changes: dict[str, Any], path: str) -> None:
    """An event that breaks the contract is refused with the path to what is wrong, and nothing is sent."""
    assert list(await refused(order(**changes))) == [path]


@pytest.mark.parametrize("levels", [70, 300, 5000])
async def test_nesting_that_cannot_be_passed_on_is_refused(levels: int) -> None:
    """What the matcher would dead-letter (over 64 deep) or orjson cannot write (254) is refused at the door."""
    deep: Any = 1
    for _ in range(levels):
        deep = [deep]
    assert list(await refused(order(data={"deep": deep}))) == ["data.deep[0][0][0]"]


async def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    r"""The six characters ``\u0000`` as text are legal: they hold no NUL."""
    assert (await emitted(order(data={"text": "\\u0000"}))).topic == "t.events.order"


@pytest.mark.parametrize("event", [None, [], "order.paid", 3])
async def test_what_is_no_object_is_refused(event: Any) -> None:
    """Anything but an object is refused, not raised from our own code."""
    assert list(await refused(event)) == [""]


async def test_a_batch_is_all_or_nothing() -> None:
    """One wrong event refuses the batch, each error under its position."""
    sender = MemorySender()
    with pytest.raises(InvalidError) as caught:
        await EventEmitter(sender, TOPICS).emit_many([order(), order(type="x"), order(), order(id="", time="t")])
    assert {error.path for error in caught.value.errors} == {"[1].type", "[3].id", "[3].time"}
    assert sender.records == []


async def test_a_batch_keeps_its_order() -> None:
    """Events of a batch are sent in the order they were given, and their ids come back in it."""
    sender = MemorySender()
    ids = await EventEmitter(sender, TOPICS).emit_many([order(id=str(n)) for n in range(20)])
    assert ids == [str(n) for n in range(20)]
    assert [orjson.loads(record.value or b"")["id"] for record in sender.records] == ids


async def test_what_kafka_refuses_is_named_by_its_position() -> None:
    """A topic that takes less than it should: the caller hears which event it is, and the others are durable."""
    sender = MemorySender()
    sender.most[TOPICS.events("order.created")] = 1000
    events = [order(id="1"), order(id="2", data={"note": "x" * 2000}), order(id="3")]
    with pytest.raises(InvalidError) as caught:
        await EventEmitter(sender, TOPICS).emit_many(events)
    assert [error.path for error in caught.value.errors] == ["[1]"]
    assert [orjson.loads(record.value or b"")["id"] for record in sender.records] == ["1", "3"]


async def test_numbers_are_bounded_as_they_will_be_encoded() -> None:
    """20,000 times 1e19 is 120 kB here and 420 kB after Postgres: refused, as the matcher would."""
    with pytest.raises(InvalidError, match="bytes"):
        await EventEmitter(MemorySender(), TOPICS).emit(order(data={"n": [1e19] * 20_000}))


async def test_a_broker_that_is_down_is_said() -> None:
    """The caller hears that the event is not durable."""
    sender = MemorySender()
    sender.reachable = False
    with pytest.raises(UnreachableError):
        await EventEmitter(sender, TOPICS).emit(order())


@pytest.mark.parametrize("source", ["/headrace/scheduler", "/headrace", "//Headrace/crm", "/%68eadrace/crm"])
async def test_a_source_of_headraces_own_is_refused(source: str) -> None:
    """In every spelling, and as an event object as well; ``source`` is named."""
    assert refused_path(await refused(order(source=source))) == "source"
    assert refused_path(await refused(Event.model_validate(order(source=source)))) == "source"


async def test_no_event_names_its_workflow() -> None:
    """``workflowid`` is Headrace's own too."""
    assert refused_path(await refused(order(workflowid="5f0c1a34-9a55-4a0c-8e37-1c7f5cbb3c11"))) == "workflowid"


def refused_path(errors: dict[str, str]) -> str:
    """Return the one path that was wrong."""
    (path,) = errors
    return path


async def test_causation_is_open_to_senders() -> None:
    """Systems hand it on, so that a loop through them is seen."""
    chain = "5f0c1a34-9a55-4a0c-8e37-1c7f5cbb3c11/5f0c1a34-9a55-4a0c-8e37-1c7f5cbb3c12"
    assert orjson.loads((await emitted(order(causation=chain))).value)["causation"] == chain
