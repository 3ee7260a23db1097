"""Reading CloudEvents off Kafka records: both content modes, and everything that is none."""

from contextlib import suppress
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import PoisonError
from schemas.event import MAX_EVENT_BYTES
from schemas.incoming import decode_event
from tests.support.records import FakeRecord, cloud_event, event_record

HEADERS = [("ce_specversion", b"1.0"), ("ce_id", b"e-1"), ("ce_source", b"/shop"), ("ce_type", b"order.paid")]


def poison(value: bytes | None, **record: object) -> str:
    """Return the reason a record is refused for."""
    with pytest.raises(PoisonError) as caught:
        decode_event(FakeRecord(value, **record))  # type: ignore[arg-type]
    return caught.value.reason


def test_structured_mode_is_read_and_passed_on_byte_by_byte() -> None:
    """The envelope goes on exactly as it came, unknown attributes included."""
    record = event_record(tenant="t9")
    incoming = decode_event(record)
    assert incoming.event.id == "e-1"
    assert incoming.raw["tenant"] == "t9"
    assert incoming.encoded == record.value


def test_binary_mode_gives_the_same_event_as_structured_mode() -> None:
    """Attributes in ce_ headers and data in the value mean what the same event means as one JSON document."""
    value = orjson.dumps(cloud_event()["data"])
    headers = [*HEADERS, ("ce_subject", b"c1"), ("content-type", b"application/json")]
    binary = decode_event(FakeRecord(value, headers=headers))
    structured = decode_event(event_record())
    assert binary.event.data == structured.event.data
    assert (binary.event.id, binary.event.source, binary.event.type) == ("e-1", "/shop", "order.paid")
    assert orjson.loads(binary.encoded)["data"] == structured.event.data


@pytest.mark.parametrize("time", [0, 1767225600, 1.5, "1767225600", True, "2026-03-01", "10:00"])
def test_a_time_that_is_none_is_refused(time: object) -> None:
    """CloudEvents has it as RFC 3339; a number would be read as seconds, and may have been milliseconds."""
    assert poison(orjson.dumps({**cloud_event(), "time": time})) == "invalid_event"
    if not isinstance(time, bool):
        assert poison(b"{}", headers=[*HEADERS, ("ce_time", str(time).encode())]) == "invalid_event"


def test_an_integer_over_64_bits_is_refused_in_binary_mode_too() -> None:
    """It would be read as the nearest float; the largest that fits is read exactly."""
    assert poison(b'{"customer":{"id":18446744073709551616}}', headers=HEADERS) == "integer_over_64_bits"
    exact = decode_event(FakeRecord(b'{"customer":{"id":18446744073709551615}}', key=None, headers=HEADERS))
    assert (exact.event.data, exact.entity) == ({"customer": {"id": 2**64 - 1}}, "18446744073709551615")


@pytest.mark.parametrize(
    "record",
    [
        FakeRecord(b"{}", headers=[*HEADERS, ("ce_note", b"x" * 1_200_000)]),
        FakeRecord(b"{}", headers=[*HEADERS, *((f"ce_n{n}", b"x" * 1000) for n in range(300))]),
        FakeRecord(b'{"n":[' + b"1e15," * 49_999 + b"1]}", headers=HEADERS),
        FakeRecord(orjson.dumps(cloud_event())[:-2] + b',"n":[' + b"1e15," * 40_000 + b"1]}}"),
        FakeRecord(orjson.dumps(cloud_event())[:-2] + b',"n":[' + b"1e19," * 40_000 + b"1]}}"),
    ],
    ids=["one header", "many headers", "binary floats", "structured floats", "what Postgres writes out"],
)
def test_the_whole_envelope_is_bounded_as_slips_hold_it(record: FakeRecord) -> None:
    """Headers count, and so does what numbers become when they are encoded again; all within 256 KiB as they came."""
    assert len(record.value or b"") <= MAX_EVENT_BYTES
    assert poison(record.value, headers=record.headers) == "too_large"


TWICE = [
    ('"id":"e-1"', '"id":"e-1","id":"e-2"', "id"),
    ('"id":"e-1"', '"id":"e-1","id":"e-1"', "id"),
    ('"id":"e-1"', '"id":"e-1","i\\u0064":"e-2"', "id"),
    ('"data":{', '"data":{"a":[1,{"b":1, "b" :2}],', "data.a[1].b"),
    ('"data":{', '"data":{"a\\u003a":1,"a:":1,', "data.a:"),
    ('"data":{', '"data":{"n":1E5,"":1,"":1,', "data."),
    ('"data":{', '"data":{},"data":{', "data"),
]


@pytest.mark.parametrize(("once", "twice", "path"), TWICE)
@pytest.mark.parametrize("spaced", [False, True])
def test_a_key_that_stands_twice_in_one_object_is_named(once: str, twice: str, path: str, *, spaced: bool) -> None:
    """Three events whose id stands twice were one event: the last of both counted, and two were lost as repeats."""
    text = orjson.dumps(cloud_event()).decode()
    assert once in text
    given = text.replace(once, twice, 1)
    with pytest.raises(PoisonError) as caught:
        decode_event(FakeRecord((given.replace('":', '" : ') if spaced else given).encode()))
    assert caught.value.reason == "repeated_key"
    assert caught.value.detail == f"{path}: is given more than once in its object"


def test_a_key_that_stands_twice_is_refused_in_binary_mode_too() -> None:
    """The data is the value then."""
    assert poison(b'{"total":1,"total":2}', headers=HEADERS) == "repeated_key"


@pytest.mark.parametrize(
    "data",
    [
        b'{"a" : {"id":1},"b":[{"id":1},{"id":1}]}',
        b'{"text":"\\u003a:\\u003A{\\"id\\":1,\\"id\\":1}"}',
        b'{"caf\\u00e9":1,"n":1E5,"m":-0,"x:y":":"}',
    ],
)
def test_the_same_key_of_other_objects_passes(data: bytes) -> None:
    """And what only looks like one: colons in texts, escaped or not, and numbers that are written out."""
    assert decode_event(FakeRecord(data, headers=HEADERS)).event.data == orjson.loads(data)


def test_of_many_keys_that_stand_twice_some_are_named() -> None:
    """The detail of a letter does not grow with what is in the event."""
    twice = ",".join(f'"{"k" * 90}{number}":1' for number in range(600))
    with pytest.raises(PoisonError) as caught:
        decode_event(FakeRecord(f'{{"data":{{{twice},{twice}}}}}'.encode()))
    assert len(caught.value.detail) < 20_000


def test_an_attribute_given_twice_in_headers_is_refused() -> None:
    """Two ids leave open which event it is, so neither is taken."""
    assert poison(b"{}", headers=[*HEADERS, ("ce_id", b"e-2")]) == "invalid_event"


MISNAMED = [
    "workflowId",
    "WORKFLOWID",
    "workflow_id",
    "ID",
    "Source",
    "Type",
    "a-b",
    "a.b",
    "",
    "é",
    "\u0131",
    "\uff57orkflowid",
]


@pytest.mark.parametrize("name", MISNAMED)
def test_an_attribute_is_called_as_cloudevents_calls_them(name: str) -> None:
    """Lower-case letters and digits, beside the right one or without: another reader might take it for that."""
    with pytest.raises(PoisonError) as caught:
        decode_event(FakeRecord(orjson.dumps(cloud_event() | {name: str(UUID(int=1))})))
    assert (caught.value.reason, caught.value.detail.partition(": ")[0]) == ("invalid_event", name)
    decode_event(event_record(data={name: 1}, tenant2="t"))


@pytest.mark.parametrize("name", ["CE_ID", "Ce_Id", "ce_workflow-id", "ce_", "ce_trace_id"])
def test_an_attribute_in_headers_too(name: str) -> None:
    """Headers are read in any case, so what differs in case is given twice; other names are none."""
    assert poison(b"{}", headers=[*HEADERS, (name, b"e-1")]) == "invalid_event"


def test_of_many_misnamed_attributes_some_are_named() -> None:
    """The detail of a letter does not grow with what is in the event."""
    with pytest.raises(PoisonError) as caught:
        decode_event(FakeRecord(orjson.dumps(cloud_event() | {f"N{'x' * 200}{number}": "" for number in range(1000)})))
    assert len(caught.value.detail) < 20_000


@pytest.mark.parametrize(
    ("record", "entity"),
    [
        (event_record(key=b"k1", partitionkey="p1"), "k1"),
        (event_record(key=None, partitionkey="p1"), "p1"),
        (event_record(key=None), "c1"),
        (event_record(key=None, subject=None, data={"customer": {"id": "c7"}}), "c7"),
        (event_record(key=None, subject=None, data={"customer": {"id": 7}}), "7"),
        (event_record(key=None, subject=None, data={}), "e-1"),
    ],
)
def test_the_entity_is_the_first_of_key_partitionkey_subject_customer(record: FakeRecord, entity: str) -> None:
    """What orders an event is found in the order of docs/design.md#2-order; one of no entity stands for itself."""
    assert decode_event(record).entity == entity


NUL = "holds a NUL character, which cannot be stored"
NUL_KEY = "has a key with a NUL character, which cannot be stored"
DEEP = "nests deeper than 64 levels"


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        (b'{"data":{"n":[1,{"x":"a\\u0000"}]}}', "nul_character", f"data.n[1].x: {NUL}"),
        (b'{"data":{"a":"\\u0000","b":"\\u0000"}}', "nul_character", f"data.a: {NUL}; data.b: {NUL}"),
        (b'{"data":{"n":{"\\u0000":1}}}', "nul_character", f"data.n: {NUL_KEY}"),
        (b'{"data":{"a":1,"n":[0,' + b"[" * 62 + b"]" * 62 + b"]}}", "too_deep", f"data.n[1][0][0]: {DEEP}"),
        (b'{"data":{"a":[{}],"n":[[],' + b"[" * 3000 + b"]" * 3000 + b"]}}", "too_deep", f"data.n[1][0][0]: {DEEP}"),
        (b'{"x":{"a]":"[\\"","n":' + b"[" * 3000, "too_deep", f"x.n[0][0][0]: {DEEP}"),
    ],
)
def test_what_cannot_be_stored_is_named_by_its_path(value: bytes, reason: str, detail: str) -> None:
    """Each text that holds a NUL; of what nests too deep the way that leads there, however deep it goes."""
    with pytest.raises(PoisonError) as caught:
        decode_event(FakeRecord(value))
    assert (caught.value.reason, caught.value.detail) == (reason, detail)


def test_many_texts_that_cannot_be_stored_are_named_in_short() -> None:
    """Ten of them."""
    with pytest.raises(PoisonError) as caught:
        decode_event(FakeRecord(orjson.dumps(cloud_event(data={"n": ["\x00"] * 5000}))))
    assert caught.value.detail.count(NUL) == 10


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"type": None}, "type: "),
        ({"type": ""}, "type: no event type: "),
        ({"time": "yesterday"}, "time: is "),
        ({"data": [1]}, "data: must be an object"),
        ({"workflowid": "w"}, "workflowid: must be a UUID"),
        ({"id": "", "subject": ""}, "id: "),
    ],
)
def test_what_is_wrong_with_an_attribute_is_said_in_our_words(changes: dict[str, Any], detail: str) -> None:
    """As the API says it: none of what a library calls it."""
    with pytest.raises(PoisonError) as caught:
        decode_event(FakeRecord(orjson.dumps(cloud_event(**changes))))
    assert "Value error" not in caught.value.detail
    assert "dictionary" not in caught.value.detail
    assert caught.value.detail.startswith(detail)


def test_an_attribute_that_is_missing_is_said_to_be() -> None:
    """With the name that may be meant for it."""
    with pytest.raises(PoisonError, match="id: is missing"):
        decode_event(FakeRecord(b'{"specversion":"1.0","source":"/s","type":"order.paid"}'))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('{"data": {"name": "José"}}'.encode("latin-1"), "byte 0xe9 at position 22"),
        ('{"data": {}}'.encode("utf-16"), "byte 0xff at position 0"),
    ],
)
def test_what_is_not_utf_8_is_said_to_be_not_with_its_byte(value: bytes, said: str) -> None:
    """The parser speaks of surrogates, at the first character of all."""
    with pytest.raises(PoisonError) as caught:
        decode_event(FakeRecord(value))
    assert caught.value.reason == "not_json"
    assert caught.value.detail.startswith(f"the value is not UTF-8: {said}")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "tombstone"),
        (b"", "not_json"),
        (b'{"specversion":"1.0","id":', "not_json"),
        (b"[1]", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b'{"a": NaN}', "not_json"),
        (b'{"a": "\\ud800"}', "not_json"),
        (b'{"a": 1e999}', "not_json"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "too_deep"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "too_deep"),
        (orjson.dumps(cloud_event(data={"n": "a\x00b"})), "nul_character"),
        (orjson.dumps(cloud_event(data={"a\x00b": 1})), "nul_character"),
        (orjson.dumps(cloud_event(data={"n": 0})).replace(b":0", b":18446744073709551617"), "integer_over_64_bits"),
        (orjson.dumps(cloud_event(specversion="0.3")), "invalid_event"),
        (orjson.dumps(cloud_event(type="order eaten")), "invalid_event"),
        (orjson.dumps(cloud_event(id=7)), "invalid_event"),
        (orjson.dumps(cloud_event(data=[1])), "invalid_event"),
        (orjson.dumps(cloud_event(time="yesterday")), "invalid_event"),
        (orjson.dumps(cloud_event(data_base64="AA==")), "invalid_event"),
        (orjson.dumps(cloud_event(data={"x": "y" * MAX_EVENT_BYTES})), "too_large"),
    ],
)
def test_what_is_no_event_is_refused_with_its_reason(value: bytes | None, reason: str) -> None:
    """Every kind of poison has a reason of its own, and none raises anything else."""
    assert poison(value) == reason


@pytest.mark.parametrize("key", [b"\xff\xfe", b"a\x00b", b"k" * 513])
def test_a_key_that_is_no_entity_is_refused(key: bytes) -> None:
    """A key must be UTF-8 without NUL, at most 512 bytes: it becomes a column."""
    assert poison(orjson.dumps(cloud_event()), key=key) == "invalid_key"


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    r"""The text ``\u0000`` written out as six characters is harmless and passes."""
    assert decode_event(event_record(data={"n": "\\u0000"})).event.data == {"n": "\\u0000"}


@given(st.binary(max_size=200), st.one_of(st.none(), st.binary(max_size=20)))
def test_any_bytes_give_an_event_or_a_reason(value: bytes, key: bytes | None) -> None:
    """Decoding arbitrary bytes never raises anything but PoisonError."""
    with suppress(PoisonError):
        decode_event(FakeRecord(value, key=key))


@given(st.lists(st.tuples(st.text(max_size=12), st.binary(max_size=12)), max_size=6))
def test_any_headers_give_an_event_or_a_reason(headers: list[tuple[str, bytes]]) -> None:
    """Arbitrary headers, ce_ ones among them, never raise anything but PoisonError."""
    with suppress(PoisonError):
        decode_event(FakeRecord(b"{}", headers=[*HEADERS, *headers]))
