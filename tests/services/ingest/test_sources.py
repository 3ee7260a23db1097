"""Records of other systems' topics as events: plain JSON and Debezium's envelopes."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from app.domain.errors import PoisonError
from app.domain.times import from_seconds
from app.execution.source_conversion import SourceConversion
from app.services.delivery.dead_letters import DeadLetters
from app.services.ingest.source_envelopes import Ignored
from app.services.ingest.sources import SourceTurner, Turned
from app.topics import Topics
from schemas.dead_letter import DeadLetter
from schemas.incoming import decode_event
from tests.domain.strategies import json_values
from tests.support.records import FakeRecord
from tests.support.sender import MemorySender
from tests.support.slips import NOW
from tests.support.sources import AT, change, orders, record, shop, source

TOPICS = Topics("t.")
ORDER = {"no": 17, "amount": "99.50", "buyer": {"id": "c-1", "email": "a@example.com"}, "secret": "x"}
ROW = {"id": 5, "customer_id": 42, "total": "12.00"}


def turned(settings: dict[str, Any], value: Any, **place: Any) -> dict[str, Any]:
    """Return the event that a record becomes, as the matcher would read it."""
    made = SourceTurner(source(settings), TOPICS).turn(record(value, settings["topic"], **place))
    assert isinstance(made, Turned), made
    read = decode_event(FakeRecord(made.record.value, made.record.key, made.record.topic))
    assert made.record.topic == TOPICS.events(read.event.type)
    assert read.entity == read.event.subject
    return read.raw


def refused(settings: dict[str, Any], value: Any) -> str:
    """Return why a record cannot be turned."""
    with pytest.raises(PoisonError) as failure:
        SourceTurner(source(settings), TOPICS).turn(record(value, settings["topic"]))
    return str(failure.value)


def test_a_plain_record_becomes_an_event_by_paths() -> None:
    """Constant type, entity and data by paths; id from its place, time from Kafka; nothing that was not asked for."""
    assert turned(shop(), ORDER) == {
        "specversion": "1.0",
        "id": "shop.orders-2-7",
        "source": "/sources/shop",
        "type": "order.paid",
        "subject": "c-1",
        "time": "2026-03-01T10:00:00+00:00",
        "datacontenttype": "application/json",
        "data": {"order": {"id": 17, "total": "99.50"}, "customer": {"id": "c-1", "email": "a@example.com"}},
    }


def test_the_same_record_read_again_is_the_same_event() -> None:
    """Byte for byte; the next record is another one."""
    turner = SourceTurner(source(shop()), TOPICS)
    first, again, other = (turner.turn(record(ORDER, offset=offset)) for offset in (7, 7, 8))
    assert first == again != other


def test_an_id_of_its_own_makes_two_records_one_event() -> None:
    """A producer that repeats itself under one id is one event, whatever the offsets."""
    assert [turned(shop(id="no"), ORDER, offset=offset)["id"] for offset in (7, 8)] == ["17", "17"]


def test_a_type_is_mapped_by_a_value() -> None:
    """A value in the map has its type; one that is mapped to null is passed over; one that is not in it is refused."""
    settings = shop(type={"path": "state", "map": {"paid": "order.paid", "new": "custom.shop.new", "draft": None}})
    assert turned(settings, {**ORDER, "state": "new"})["type"] == "custom.shop.new"
    made = SourceTurner(source(settings), TOPICS).turn(record({**ORDER, "state": "draft"}))
    assert made == Ignored("its type is mapped to null", "type_unwanted")
    assert "state is 'lost', which is not in the map" in refused(settings, {**ORDER, "state": "lost"})
    assert "type: state is missing" in refused(settings, ORDER)


@pytest.mark.parametrize(
    ("rule", "value", "time"),
    [
        ("at", "2026-02-03T04:05:06.5+02:00", "2026-02-03T02:05:06.500000+00:00"),
        ("at", 1_772_359_205_250, "2026-03-01T10:00:05.250000+00:00"),
        ({"path": "at", "unit": "s"}, 1_772_359_205, "2026-03-01T10:00:05+00:00"),
        ({"path": "at", "unit": "us"}, 1_772_359_205_000_001, "2026-03-01T10:00:05.000001+00:00"),
        ({"path": "at", "unit": "ns"}, 1_772_359_205_000_000_000, "2026-03-01T10:00:05+00:00"),
        ({"path": "at", "unit": "ns"}, 1_772_359_205_123_456_789, "2026-03-01T10:00:05.123456+00:00"),
        ("at", "2026-03-01T10:00:05.123456789Z", "2026-03-01T10:00:05.123456+00:00"),
        ("at", None, "2026-03-01T10:00:00+00:00"),
        ("elsewhere", "2026-02-03", "2026-03-01T10:00:00+00:00"),
    ],
)
def test_times_are_texts_or_numbers(rule: Any, value: Any, time: str) -> None:
    """ISO 8601, or units since 1970; where the record has none it is Kafka's."""
    assert turned(shop(time=rule), {**ORDER, "at": value})["time"] == time


@pytest.mark.parametrize("value", ["yesterday", True, [], 1e300, float(2**70)])
def test_what_is_no_time_is_refused(value: Any) -> None:
    """Named, and not taken for another time."""
    assert "time: at is neither" in refused(shop(time="at"), {**ORDER, "at": value})


def test_data_is_the_whole_record_an_object_in_it_or_shaped() -> None:
    """A leaf that the record has not is left out; a path to something else than an object is refused."""
    assert turned(shop(data=None), ORDER)["data"] == ORDER
    assert turned(shop(data="buyer"), ORDER)["data"] == ORDER["buyer"]
    assert turned(shop(data={"a": {"b": "no", "c": "nowhere"}}), ORDER)["data"] == {"a": {"b": 17}}
    assert "data: amount is no object" in refused(shop(data="amount"), ORDER)
    assert "data: nowhere is no object" in refused(shop(data="nowhere"), ORDER)


@pytest.mark.parametrize(
    ("buyer", "why"),
    [
        ({}, "entity: buyer.id is missing"),
        ({"id": None}, "is empty"),
        ({"id": ""}, "is empty"),
        ({"id": True}, "neither a text nor a whole number"),
        ({"id": 1.5}, "neither a text nor a whole number"),
        ({"id": "x" * 257}, "more than 256"),
    ],
)
def test_a_record_about_nobody_is_refused(buyer: Any, why: str) -> None:
    """An event without its entity would lose its order."""
    assert why in refused(shop(), {**ORDER, "buyer": buyer})


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(
    ("op", "before", "after", "kind"),
    [
        ("c", None, ROW, "order.created"),
        ("u", {**ROW, "total": "1.00"}, ROW, "order.paid"),
        ("d", ROW, None, "order.cancelled"),
    ],
)
def test_a_change_of_a_row_becomes_an_event(op: str, before: Any, after: Any, kind: str, *, wrapped: bool) -> None:
    """Created, updated, deleted; with the converter's schema around it or not; the data is the row."""
    envelope = change(op, before, after)
    event = turned(orders(), {"schema": {"type": "struct"}, "payload": envelope} if wrapped else envelope)
    assert (event["type"], event["subject"], event["data"]) == (kind, "42", ROW)
    assert (event["id"], event["time"]) == ("db.public.orders-2-7", "2026-03-01T10:00:05.250000+00:00")


def test_an_update_can_hand_on_what_was_before() -> None:
    """Paths lead into the envelope."""
    settings = orders(data={"customer": "after", "previous": "before"}, type="customer.updated")
    data = turned(settings, change("u", {"plan": "a"}, {"customer_id": 1, "plan": "b"}))["data"]
    assert data == {"customer": {"customer_id": 1, "plan": "b"}, "previous": {"plan": "a"}}


@pytest.mark.parametrize(
    "value",
    [None, {"schema": None, "payload": None}, change("t"), {"op": "m", "message": {}}, change("r", None, ROW)],
    ids=["tombstone", "wrapped tombstone", "truncate", "message", "snapshot, mapped to null"],
)
def test_what_is_no_change_of_a_row_is_passed_over(value: Any) -> None:
    """No event, and no dead letter either."""
    assert isinstance(SourceTurner(source(orders()), TOPICS).turn(record(value)), Ignored)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"id": 5}, "no Debezium envelope"),
        ({"schema": {}, "payload": [1]}, "no Debezium envelope"),
        (change("c"), "entity: row.customer_id is missing"),
        (b"[1]", "must be a JSON object"),
        (b"\xff", "not_json"),
        (change("x", None, ROW), "op: 'x' is none of Debezium's operations"),
        (b'{"op": "c", "after": {"customer_id": 123456789012345678901234567890}}', "64 bits"),
        (change("c", None, {"customer_id": 1, "blob": "x" * 300_000}), "at most 262144"),
    ],
    ids=["plain", "payload", "no row", "array", "bytes", "op", "integer", "size"],
)
def test_what_is_no_envelope_is_refused(value: Any, why: str) -> None:
    """With the reason."""
    assert why in refused(orders(), value)


def test_a_record_that_is_too_old_is_passed_over() -> None:
    """It may have run long ago and be forgotten; one that is just young enough becomes an event."""
    turner = SourceTurner(source(shop()), TOPICS, 60, lambda: from_seconds(AT + 61) or NOW)
    assert turner.turn(record(ORDER)) == Ignored("too old", "too_old")
    young = SourceTurner(source(shop()), TOPICS, 60, lambda: from_seconds(AT + 60) or NOW)
    assert isinstance(young.turn(record(ORDER)), Turned)


@pytest.mark.parametrize("timestamp", [0.0, AT / 1000, AT * 1000, 1e17, -1e17])
async def test_an_absurd_timestamp_is_a_dead_letter_that_says_so(timestamp: float) -> None:
    """Neither too old nor an event of the year 5000: the producer's mistake is to be seen, and stalls nothing."""
    letters = DeadLetters(topics=TOPICS, sender=MemorySender(), role="sources", clock=lambda: NOW)
    agent = SourceConversion([SourceTurner(source(shop()), TOPICS, 60, clock=lambda: NOW)], letters)
    out = await agent.process([replace(record(ORDER), timestamp=timestamp), record(None)])
    (letter,) = [DeadLetter.model_validate_json(made.value or b"") for made in out]
    assert (letter.reason, letter.reader) == ("absurd_timestamp", "t.sources/shop")
    assert f"Kafka's timestamp is {timestamp * 1000:.0f} ms" in letter.detail


async def test_letters_of_two_sources_are_told_apart_and_say_what_they_are_about() -> None:
    """Both read the topic, neither can turn the record: each has its letter, with its own idea of id and entity."""
    letters = DeadLetters(topics=TOPICS, sender=MemorySender(), role="sources", clock=lambda: NOW)
    both = [
        shop(id="no", type={"path": "state", "map": {"paid": "order.paid"}}),
        shop(name="other", time={"path": "amount", "unit": "s"}),
    ]
    agent = SourceConversion([SourceTurner(source(one), TOPICS) for one in both], letters)
    out = await agent.process([record({**ORDER, "amount": []})])
    made = [DeadLetter.model_validate_json(one.value or b"") for one in out]
    assert [(one.reader, one.event_id, one.source, one.entity) for one in made] == [
        ("t.sources/shop", "17", "/sources/shop", "c-1"),
        ("t.sources/other", "shop.orders-2-7", "/sources/other", "c-1"),
    ]


def test_what_a_letter_of_a_change_is_about_is_found_in_its_row() -> None:
    """Wrapped with its schema or not, whole or not."""
    turner = SourceTurner(source(orders(id="row.id")), TOPICS)
    whole = change("u", after=ROW)
    for value in (whole, {"schema": {}, "payload": whole}):
        said = turner.about(record(value))
        assert (said.event_id, said.source, said.entity) == ("5", "/sources/db", "42")
    for odd in (None, b"{", b"[]", {"payload": None, "schema": None}, {"op": "u", "after": 7}):
        assert turner.about(record(odd)).source == "/sources/db"


async def test_every_record_that_is_passed_over_is_counted_by_reason() -> None:
    """A tombstone, no change of a row, an unwanted type, too old: none of them is just ignored."""
    letters = DeadLetters(topics=TOPICS, sender=MemorySender(), role="sources", clock=lambda: NOW)
    agent = SourceConversion(
        [SourceTurner(source(orders(name="counted")), TOPICS, 60, lambda: from_seconds(AT) or NOW)], letters
    )
    old = replace(record(change("u", after=ROW), "db.public.orders"), timestamp=AT - 61)
    values = (None, change("t"), change("r", after=ROW))
    names = ("too_old", "tombstone", "no_row", "type_unwanted")
    before = [passed_over(name) for name in names]
    assert await agent.process([old, *(record(value, "db.public.orders") for value in values)]) == []
    assert [passed_over(name) for name in names] == [count + 1 for count in before]


def passed_over(outcome: str) -> float:
    """How many records of the source have come to this."""
    labels = {"source": "counted", "outcome": outcome}
    return REGISTRY.get_sample_value("headrace_source_records_total", labels) or 0.0


async def test_a_sources_event_says_which_record_it_was() -> None:
    """Should Kafka refuse the event, that record is the dead letter."""
    letters = DeadLetters(topics=TOPICS, sender=MemorySender(), role="sources", clock=lambda: NOW)
    came = record(ORDER)
    (event,) = await SourceConversion([SourceTurner(source(shop()), TOPICS, clock=lambda: NOW)], letters).process(
        [came]
    )
    assert event.cause is came


@given(value=json_values, settings=st.sampled_from([shop(time="b"), orders(), orders(entity="a.0", id="a.b")]))
def test_whatever_comes_is_an_event_or_said_why_not(value: Any, settings: dict[str, Any]) -> None:
    """Any JSON: an event that the matcher takes, nothing, or a reason; never another exception."""
    try:
        made = SourceTurner(source(settings), TOPICS).turn(record(orjson_or_text(value)))
    except PoisonError:
        return
    if isinstance(made, Turned):
        decode_event(FakeRecord(made.record.value, made.record.key, made.record.topic))


def orjson_or_text(value: Any) -> bytes:
    """Encode also what orjson refuses, such as integers over 64 bits."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return repr(value).encode(errors="replace")


async def test_the_agent_goes_on_behind_a_record_that_cannot_be_turned() -> None:
    """Its dead letter has the bytes, the place and the source; the others become events, one for each source."""
    letters = DeadLetters(topics=TOPICS, sender=MemorySender(), role="sources", clock=lambda: NOW)
    both = [shop(), shop(name="second", type="customer.updated")]
    agent = SourceConversion([SourceTurner(source(one), TOPICS) for one in both], letters)
    out = await agent.process([record(ORDER, offset=1), record(b"{", offset=2), record(ORDER, offset=3)])
    assert [one.topic for one in out] == [
        *("t.events.order", "t.events.customer"),
        *("t.dead-letters", "t.dead-letters"),
        *("t.events.order", "t.events.customer"),
    ]
    letter = DeadLetter.model_validate_json(out[2].value or b"")
    assert (letter.topic, letter.partition, letter.offset, letter.role) == ("shop.orders", 2, 2, "sources")
    assert (letter.reason, letter.detail.partition(":")[0]) == ("not_json", "source shop")


async def test_a_mistake_of_ours_is_a_dead_letter_too() -> None:
    """And the batch goes on."""

    class Broken(SourceTurner):
        def turn(self, record: Any) -> Turned | Ignored:
            raise RuntimeError

    letters = DeadLetters(topics=TOPICS, sender=MemorySender(), role="sources", clock=lambda: NOW)
    agent = SourceConversion([Broken(source(shop()), TOPICS), SourceTurner(source(shop(name="b")), TOPICS)], letters)
    out = await agent.process([record(ORDER)])
    assert [one.topic for one in out] == ["t.dead-letters", "t.events.order"]
    assert DeadLetter.model_validate_json(out[0].value or b"").reason == "internal_error"


def test_a_record_cannot_claim_to_be_headraces_own() -> None:
    """What a record says of source, workflow or causation is data, if anything: the event is of its source."""
    claims = {"source": "/headrace/scheduler", "workflowid": "5f0c1a34-9a55-4a0c-8e37-1c7f5cbb3c11", "causation": "w/e"}
    for settings in (shop(), shop(data=None)):
        event = turned(settings, {**ORDER, **claims})
        assert event["source"] == "/sources/shop"
        assert not {"workflowid", "causation"} & event.keys()
