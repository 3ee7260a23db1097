"""HEADRACE_SOURCES: JSON or a file, and what is wrong in it is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import SettingsError
from app.services.ingest.source_settings import load_sources
from tests.support.sources import orders, shop

PREFIX = "headrace."


def test_sources_come_as_json_or_from_a_file(tmp_path: Path) -> None:
    """The same either way."""
    text = json.dumps([shop(), orders()])
    file = tmp_path / "sources.json"
    file.write_text(text)
    assert load_sources(f"  {text}", PREFIX) == load_sources(str(file), PREFIX)
    assert [source.name for source in load_sources(text, PREFIX)] == ["shop", "db"]


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ([shop(entity=None)], "[0].entity: is missing"),
        ([shop(), orders(), shop()], "[0].name: two sources are named shop"),
        ([shop(name="Shop!")], "[0].name: "),
        ([shop(name="/headrace/scheduler")], "[0].name: "),
        ([shop(source="/headrace/scheduler")], "[0].source: is not known here"),
        ([shop(workflowid="id")], "[0].workflowid: is not known here"),
        ([shop(topic="headrace.internal-events")], "[0].topic: is one of Headrace's own"),
        ([shop(topic="headrace.events.order")], "[0].topic: is one of Headrace's own"),
        ([shop(topic="a b")], "[0].topic: "),
        ([shop(format="avro")], "[0].format: input should be 'json' or 'debezium'"),
        ([shop(type="order")], "[0].type: no event type"),
        ([shop(type="temporal.daily")], "[0].type: temporal events are Headrace's own"),
        (
            [shop(type={"path": "op", "map": {"c": "order.paid", "d": "temporal.weekly"}})],
            "[0].type.map.d: temporal events are Headrace's own",
        ),
        ([shop(type={"path": "op"})], "[0].type: must be an event type, or a path and a map"),
        ([shop(type={"path": "op", "map": {"c": "order"}})], "[0].type.map.c: no event type"),
        ([shop(type={"path": "op", "map": {}})], "[0].type.map: "),
        ([shop(entity="a..b")], "[0].entity: must have something before, between and after its dots"),
        ([shop(), orders(time={"path": "ts_ms", "unit": "min"})], "[1].time.unit: "),
        ([shop(data={"order": {"id": "a."}})], "[0].data: order: id: must have something"),
        ([shop(data={"order": 1})], "[0].data: order: must be a path, or an object of such"),
        ([shop(data={})], "[0].data: must be a path"),
        ([shop(ids="no")], "[0].ids: is not known here"),
        (
            [orders(types={"after.total": "money"})],
            "[0].types: after.total: no such type; there are decimal(<scale>), ",
        ),
        ([orders(types={"after.total": "decimal"})], "[0].types: after.total: no such type; there are "),
        ([orders(types={"after.total": "decimal(9999)"})], "[0].types: after.total: no such type"),
        (
            [orders(types={"total": "decimal(2)"})],
            "[0].types: total: must name a field in before",
        ),
        (
            [orders(types={"after": "decimal(2)"})],
            "[0].types: after: must name a field in before",
        ),
        ([orders(types={"row.a": "date", "after.a": "time"})], "[0].types: after.a: has another type already"),
        ([shop(types={"a": "date", "a.b": "date"})], "[0].types: a.b: has another type already"),
        ([shop(types={"a.b": "date", "a": "date"})], "[0].types: a: has another type already"),
        ([shop(types={"a..b": "date"})], "[0].types: a..b: must have something before, between and after its dots"),
        ([shop(types={"a": 2})], "[0].types.a: input should be a valid string"),
        ({"name": "x"}, "is no JSON"),
        ([], "there is no source in it"),
    ],
)
def test_what_is_wrong_is_named(sources: Any, said: str) -> None:
    """The variable, the position and the field."""
    text = json.dumps(sources) if isinstance(sources, list) else "[{]"
    with pytest.raises(SettingsError) as failure:
        load_sources(text, PREFIX)
    assert str(failure.value).startswith("HEADRACE_SOURCES")
    assert said in str(failure.value)


def test_nothing_and_a_file_that_is_not_there_are_said(tmp_path: Path) -> None:
    """With what the setting is to hold."""
    with pytest.raises(SettingsError, match="HEADRACE_SOURCES is not set: a JSON list"):
        load_sources(" ", PREFIX)
    with pytest.raises(SettingsError, match="HEADRACE_SOURCES: the file cannot be read"):
        load_sources(str(tmp_path / "none.json"), PREFIX)


def test_data_has_bounds() -> None:
    """Levels without end are refused, not recursed into."""
    deep: Any = "a"
    for _ in range(200):
        deep = {"x": deep}
    with pytest.raises(SettingsError, match="at most 16 levels"):
        load_sources(json.dumps([shop(data=deep)]), PREFIX)
