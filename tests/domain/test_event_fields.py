"""What is learnt of objects' fields: paths, types, how often they are there; and that nothing grows with what comes."""

import time
from typing import Any

import pytest

from app.domain.event_fields import MAX_FIELDS, EventFields, SeenField
from tests.support.deadlines import scaled


def learnt(*objects: dict[str, Any]) -> EventFields:
    """What is learnt of objects."""
    fields = EventFields()
    for one in objects:
        fields.add(one)
    return fields


def listed(*objects: dict[str, Any]) -> dict[str, SeenField]:
    """The fields by their paths."""
    return {one.path: one for one in learnt(*objects).listed()}


def test_a_field_is_told_with_its_path_types_and_share() -> None:
    """Containers come before what is in them; null beside other types is told apart, and is being there."""
    fields = listed(
        {"order": {"total": "19.90", "paid_at": "2026-03-01T09:30:00Z", "express": True}},
        {"order": {"total": 20, "paid_at": None}},
        {"order": {"total": 1.5}},
        {"note": None},
    )
    assert list(fields) == ["order", "order.total", "order.paid_at", "order.express", "note"]
    assert fields["order"] == SeenField("order", ("object",), 0.75, False, None, ())
    assert fields["order.total"] == SeenField(
        "order.total", ("string", "integer", "number"), 0.75, False, "decimal", ("19.90", 20, 1.5)
    )
    assert fields["order.paid_at"] == SeenField(
        "order.paid_at", ("string",), 0.5, True, "date-time", ("2026-03-01T09:30:00Z",)
    )
    assert fields["order.express"].examples == (True,)
    assert (fields["note"].types, fields["note"].nullable) == (("null",), True)


def test_the_elements_of_an_array_are_one_field() -> None:
    """Under a path that a condition can use; an object counts once, however many elements it has."""
    fields = listed({"items": [{"sku": "a"}, {"sku": "b", "gift": True}], "tags": ["x"]}, {"items": []})
    assert {path: one.present for path, one in fields.items()} == {
        "items": 1.0, "items.0": 0.5, "items.0.sku": 0.5, "items.0.gift": 0.5, "tags": 0.5, "tags.0": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    "key",
    [
        "c-1001",
        "order_1042",
        "ana@example.com",
        "Ana Lima",
        "4711",
        "deadbeefcafe",
        "0190a1b2-c3d4-7e5f",
        "a.b",
        "",
        "x" * 49,
        "+49 30 901820",
    ],
)
def test_keys_that_are_data_are_not_shown(key: str) -> None:
    """Ids, addresses and names of people say nothing of an event's form, and may not be for everybody."""
    assert list(listed({"by": {key: {"total": 1}}, "plain_name": 1})) == ["by", "by.*", "by.*.total", "plain_name"]


def test_the_keys_of_a_map_are_one_field() -> None:
    """Whether one object has many of them, or each of many objects has another; keys that come again stay."""
    many = {f"{a}{b}": 1 for a in "abcdefghij" for b in "qrstuvwxyz"}
    assert list(listed({"by": many})) == ["by", "by.*"]
    each = [{"by": {name: 1}, "total": 1} for name in list(many)[:40]]
    assert list(listed(*each)) == ["by", "by.*", "total"]
    assert "by.total" in listed(*({"by": {"total": 1, name: 1}} for name in list(many)[:7]))


def _nested(levels: int) -> dict[str, Any]:
    return {"a": _nested(levels - 1)} if levels else {}


def _words(count: int) -> list[str]:
    letters = "abcdefghijklmnopqrst"
    return [f"{a}_{b}_{c}" for a in letters for b in letters for c in letters][:count]


HOSTILE: dict[str, dict[str, Any]] = {
    "deep": _nested(60),
    "wide": dict.fromkeys(_words(8000), 1),
    "bushy": {a: {b: dict.fromkeys("uvwxyz", 1) for b in "klmnopqrst"} for a in "abcdefghij"},
    "long text": {"text": "x" * 250_000},
    "long keys": {"k" * 200_000: 1},
    "many elements": {"list": [{"a": number} for number in range(20_000)]},
    "digits in keys": {"a1" + "b" * 40 + str(number): 1 for number in range(5_000)},
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_learnt_of_hostile_objects_is_bounded(data: dict[str, Any]) -> None:
    """In fields, in characters and in time, however often such come."""
    started = time.process_time()
    fields = learnt(*[data] * 20).listed()
    assert time.process_time() - started < scaled(2)
    assert len(fields) <= MAX_FIELDS
    assert max(len(one.path) for one in fields) <= 8 * 49
    assert max(one.path.count(".") for one in fields) < 8
    assert sum(len(str(one.examples)) for one in fields) <= MAX_FIELDS * 300


def test_a_path_that_no_object_had_is_told() -> None:
    """With the one that comes near; none is where the path is there, or may have been passed over."""
    fields = learnt({"order": {"total": 1, "items": [{"sku": "a"}], "by": {"c-1001": 1}}, "empty": []})
    assert fields.lacks("order.totl") == "order.total"
    assert fields.lacks("ordr.total") == "order.total"
    assert fields.lacks("order.items.3.skuu") == "order.items.3.sku"
    assert fields.lacks("order.zzzzz") == ""
    for there in ("order", "order.total", "order.items.7.sku", "order.by.c-9", "order.by.4711", "empty.0.x", "c-1"):
        assert fields.lacks(there) is None, there
    assert learnt(HOSTILE["wide"], HOSTILE["deep"]).lacks("nowhere") is None
