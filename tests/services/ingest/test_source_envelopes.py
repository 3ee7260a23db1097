"""Values of other systems' records: decoded by the schema that comes along, or by the source's types."""

import json
from copy import deepcopy
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import PoisonError
from app.services.ingest.source_envelopes import TOMBSTONE, Ignored, Opener
from app.services.ingest.sources import SourceTurner, Turned
from app.topics import Topics
from tests.domain.strategies import json_values
from tests.support.connect_schemas import (
    DECIMAL,
    ENCODED_ROW,
    ROW,
    inside,
    orders_schema,
    struct,
    typed,
    variable_decimal,
    with_schema,
)
from tests.support.sources import change, orders, record, shop, source

TYPES = {
    "row.total": "decimal(2)",
    "row.weight": "variable-scale-decimal",
    "row.due": "date",
    "row.opens": "micro-time",
    "row.created_at": "micro-timestamp",
}


def opened(settings: dict[str, Any], value: Any) -> dict[str, Any]:
    """Return what a source's paths lead into."""
    found = Opener(source(settings)).open(value if isinstance(value, bytes) else orjson.dumps(value))
    assert isinstance(found, dict), found
    return found


def refused(settings: dict[str, Any], value: Any) -> str:
    """Return why a record is refused."""
    with pytest.raises(PoisonError) as failure:
        Opener(source(settings)).open(value if isinstance(value, bytes) else orjson.dumps(value))
    assert failure.value.reason == "source_mismatch"
    return failure.value.detail


@pytest.mark.parametrize(
    ("op", "before", "after"),
    [("c", None, True), ("r", None, True), ("u", True, True), ("d", True, None), ("u", None, True)],
)
def test_a_change_is_decoded_by_the_schema_that_comes_with_it(op: str, before: Any, after: Any) -> None:
    """Debezium's defaults: decimals, dates and times of both sides; what is null stays null."""
    sides = [deepcopy(ENCODED_ROW) if side else None for side in (before, after)]
    envelope = opened(orders(), with_schema(op, *sides))
    assert (envelope["before"], envelope["after"]) == (ROW if before else None, ROW if after else None)
    assert envelope["row"] == ROW
    assert (envelope["ts_ms"], envelope["op"]) == (1_772_359_205_250, op)


def test_a_change_without_schema_is_decoded_by_types() -> None:
    """``row`` stands for both sides; the converter may leave out its envelope, or send it empty."""
    for wrap in (lambda it: it, lambda it: {"schema": None, "payload": it}, lambda it: {"schema": {}, "payload": it}):
        found = opened(orders(types=TYPES), wrap(change("u", ENCODED_ROW, ENCODED_ROW)))
        assert (found["before"], found["after"]) == (ROW, ROW)
    one_side = opened(orders(types={"after.total": "decimal(2)"}), change("u", ENCODED_ROW, ENCODED_ROW))
    assert (one_side["before"]["total"], one_side["after"]["total"]) == ("ThY=", "199.90")


def test_the_schema_goes_before_the_types() -> None:
    """What it has decoded is not decoded again."""
    assert opened(orders(types=TYPES), with_schema("c", None, deepcopy(ENCODED_ROW)))["row"] == ROW


def test_an_event_carries_what_was_decoded() -> None:
    """Its entity, its time and its data."""
    settings = orders(entity="row.total", time={"path": "row.created_at", "unit": "us"}, data={"order": "row"})
    made = SourceTurner(source(settings), Topics("t.")).turn(record(with_schema("c", None, ENCODED_ROW), "db"))
    assert isinstance(made, Turned)
    assert (made.event["subject"], made.event["time"]) == ("199.90", "1969-12-31T23:59:59.999999+00:00")
    assert made.event["data"] == {"order": ROW}


def test_values_are_decoded_at_any_depth() -> None:
    """In objects, arrays, and maps, whose keys may be no texts."""
    price = {"type": "bytes", "name": DECIMAL, "parameters": {"scale": "2"}}
    day = {"type": "int32", "name": "org.apache.kafka.connect.data.Date"}
    row = struct(
        typed("customer_id", "int32"),
        inside("items", {"type": "array", "items": struct(inside("price", price), typed("name", "string"))}),
        inside("prices", {"type": "map", "keys": {"type": "string"}, "values": price}),
        inside("by_day", {"type": "map", "keys": day, "values": price}),
        inside("weights", {"type": "array", "items": {"type": "array", "items": variable_decimal()}}),
        inside("tags", {"type": "array", "items": {"type": "string"}}),
    )
    after = {
        "customer_id": 1,
        "items": [{"price": "ThY=", "name": "ThY="}, None, {"price": None, "name": "b"}],
        "prices": {"a": "ThY=", "b": None},
        "by_day": [[0, "ThY="]],
        "weights": [[{"scale": 1, "value": "BQ=="}]],
        "tags": ["ThY="],
    }
    found = opened(orders(), {"schema": struct(inside("after", row)), "payload": change("c", None, after)})
    assert found["row"] == {
        "customer_id": 1,
        "items": [{"price": "199.90", "name": "ThY="}, None, {"price": None, "name": "b"}],
        "prices": {"a": "199.90", "b": None},
        "by_day": [["1970-01-01", "199.90"]],
        "weights": [["0.5"]],
        "tags": ["ThY="],
    }


def test_types_lead_into_arrays_and_past_what_is_missing() -> None:
    """``*`` is every member that has no type of its own; a path that a record does not have says nothing."""
    types = {"items.*.price": "decimal(2)", "items.0.at": "timestamp", "totals.*": "decimal(0)", "totals.b": "date"}
    value = {"items": [{"price": "ThY=", "at": 1}, {"price": "ThY="}], "totals": {"a": "Kg==", "b": 0}, "buyer": "x"}
    assert opened(shop(types={**types, "none.at": "date", "buyer.born": "date"}), value) == {
        "items": [{"price": "ThY=", "at": "1970-01-01T00:00:00.001"}, {"price": "199.90"}],
        "totals": {"a": "42", "b": "1970-01-01"},
        "buyer": "x",
    }


def test_an_unwrapped_record_is_decoded_where_it_stands() -> None:
    """Debezium's ExtractNewRecordState leaves the row alone: as plain JSON, with the schema around it or without."""
    row = orders_schema()["fields"][1]
    assert opened(shop(), {"schema": row, "payload": deepcopy(ENCODED_ROW)})["payload"] == ROW
    plain = {path.removeprefix("row."): kind for path, kind in TYPES.items()}
    assert opened(shop(types=plain), ENCODED_ROW) == ROW
    assert "perhaps format json" in refused(orders(), ENCODED_ROW)


def test_a_number_is_read_as_it_is_written() -> None:
    """Under ``decimal.format=NUMERIC`` decimals are JSON numbers, of which a float would lose digits."""
    schema = orders_schema()
    raw = orjson.dumps({"schema": schema, "payload": change("c", None, {"customer_id": 1, "total": 0})})
    for written, read in (
        (b"12345678901234567.89", "12345678901234567.89"),
        (b"199.9", "199.90"),
        (b"0.10", "0.10"),
        (b"1e2", "100.00"),
    ):
        assert opened(orders(), raw.replace(b'"total":0', b'"total":' + written))["row"]["total"] == read
    assert "after.total: 1.999 has more decimals than its scale, 2" in refused(
        orders(), raw.replace(b'"total":0', b'"total":1.999')
    )


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("total", "12.00", "after.total: '12.00' is no base64 of a decimal's bytes"),
        ("total", True, "after.total: True is no decimal"),
        ("weight", "AQ==", "after.weight: 'AQ==' is no object of scale and value"),
        ("due", "2026-03-01", "after.due: '2026-03-01' is no number of days"),
        ("created_at", 1.5, "after.created_at: 1.5 is no whole number"),
        ("created_at", "x" * 500, f"after.created_at: '{'x' * 99}… is no whole number"),
    ],
)
def test_a_value_that_does_not_fit_its_type_is_refused(field: str, value: Any, why: str) -> None:
    """With its path and the value, by schema and by types."""
    row = {**ENCODED_ROW, field: value}
    assert refused(orders(), with_schema("c", None, deepcopy(row))) == why
    assert refused(orders(types=TYPES), change("c", None, row)) == why


def test_a_schema_that_changes_is_followed() -> None:
    """Each record is read by its own, also when it comes back to an older one."""
    opener = Opener(source(orders()))
    for scale, read in ((2, "199.90"), (1, "1999.0"), (2, "199.90")):
        row = struct(typed("total", "bytes", DECIMAL, scale=str(scale)))
        value = {"schema": struct(inside("after", row)), "payload": change("c", None, {"total": "ThY="})}
        found = opener.open(orjson.dumps(value))
        assert not isinstance(found, Ignored)
        assert found["row"]["total"] == read


@pytest.mark.parametrize(
    "value",
    [
        with_schema("u", None, {**ENCODED_ROW, "opens": "late"}),
        change("u", None, {**ENCODED_ROW, "opens": "late"}),
        change("x", None, ENCODED_ROW),
        change("u", None, {**ENCODED_ROW, "n": 2**70}),
    ],
    ids=["schema", "types", "op", "integer"],
)
def test_the_letter_of_a_record_that_is_refused_names_whom_it_is_about(value: Any) -> None:
    """Whichever of its values is wrong."""
    kept = record(json.dumps(value).encode(), "db")
    turner = SourceTurner(source(orders(types=TYPES)), Topics("t."))
    with pytest.raises(PoisonError):
        turner.turn(kept)
    assert (turner.about(kept).entity, turner.about(kept).source) == ("42", "/sources/db")


@pytest.mark.parametrize("settings", [orders(), shop()])
def test_what_the_source_does_not_know_is_missing(settings: dict[str, Any]) -> None:
    """Postgres does not hand on a long value that an update left alone; Debezium's mark for it reaches nobody."""
    marks = (
        "__debezium_unavailable_value",
        "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==",
        ["__debezium_unavailable_value"],
    )
    after = {"customer_id": 42, "text": marks[0], "blob": marks[1], "tags": marks[2], "deep": [{"a": marks[0], "b": 1}]}
    found = opened(settings, change("u", None, after))["after"]
    assert found == {"customer_id": 42, "deep": [{"b": 1}]}


@pytest.mark.parametrize("settings", [orders(), shop()])
def test_a_wrapped_tombstone_is_one(settings: dict[str, Any]) -> None:
    """In both formats: a deleted row comes with one, unwrapped or not."""
    assert Opener(source(settings)).open(b'{"schema": null, "payload": null}') == TOMBSTONE


def test_documents_of_mongodb_and_json_columns_are_objects() -> None:
    """Debezium writes them as texts; by the schema, or by the type ``json``, paths lead into them."""
    text = '{"_id": {"$oid": "65a"}, "n": 1}'
    side = typed("after", "string", "io.debezium.data.Json")
    for settings, value in (
        (orders(), {"schema": struct(side), "payload": change("c", None, text)}),
        (orders(types={"row": "json"}), change("c", None, text)),
    ):
        assert opened(settings, value)["row"] == {"_id": {"$oid": "65a"}, "n": 1}
    assert opened(orders(types={"row.extra": "json"}), change("c", None, {"extra": "[1]"}))["row"] == {"extra": [1]}


def outcome(value: Any) -> str | dict[str, Any]:
    """Return an opened envelope, or why there is none; no other error passes."""
    try:
        return opened(orders(), json.dumps(value).encode())
    except PoisonError as error:
        return error.detail


@given(schema=json_values, row=json_values)
def test_whatever_stands_for_a_schema_breaks_nothing(schema: Any, row: Any) -> None:
    """A record is opened, or refused with a reason."""
    for shape in (schema, {"fields": schema}, struct(inside("after", struct())) | {"fields": [schema]}):
        assert outcome({"schema": shape, "payload": change("c", None, row)})


_NAMES = st.sampled_from([DECIMAL, "io.debezium.time.Date", "io.debezium.time.NanoTimestamp"])


@given(name=_NAMES, row=json_values)
def test_whatever_stands_for_a_value_is_decoded_or_refused(name: str, row: Any) -> None:
    """A text, or a reason that names the field; null stays null."""
    schema = struct(inside("after", {"type": "bytes", "name": name, "parameters": {"scale": "2"}}))
    found = outcome({"schema": schema, "payload": change("c", None, row)})
    if isinstance(found, str):
        assert found
    else:
        assert found["after"] is None if row is None else isinstance(found["after"], str)
