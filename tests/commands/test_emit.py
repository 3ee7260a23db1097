"""``headrace emit``: one event from flags, many from a file, at a rate; mistakes name their line."""

import asyncio
import gzip
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from aiokafka import AIOKafkaConsumer
from click.testing import CliRunner

from app.adapters.kafka.admin import ensure_topics
from app.cli import main
from app.commands.emit import one_event, paced
from app.commands.jsonl import BadLineError, Batch, batches, open_jsonl
from app.domain.errors import FieldError
from app.domain.kafka_connection import KafkaConnection
from app.settings import load_settings
from app.topics import Topics, TopicSpec
from tests.support.deadlines import scaled
from tests.support.waiting import in_time


def _event(number: int) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": f"e{number}", "source": "/shop", "type": "order.created", "subject": "c1",
        "data": {"order": {"total": number}},
    }  # fmt: skip


def _lines(*numbers: int) -> bytes:
    return b"".join(json.dumps(_event(number)).encode() + b"\n" for number in numbers)


@pytest.mark.parametrize("compressed", [False, True])
def test_lines_are_read_in_batches(tmp_path: Path, *, compressed: bool) -> None:
    """Plain or gzip, whatever the name: all events in order, with their lines; blank ones are passed over."""
    raw = _lines(1, 2) + b"\n" + _lines(3)
    file = tmp_path / "events"
    file.write_bytes(gzip.compress(raw) if compressed else raw)
    with open_jsonl(file) as lines:
        found = list(batches(lines, 2))
    assert [[event["id"] for event in batch.events] for batch in found] == [["e1", "e2"], ["e3"]]
    assert [batch.numbers for batch in found] == [[1, 2], [4]]
    assert sum(batch.size for batch in found) == file.stat().st_size


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (_lines(1) + b"{\n", "line 2 is no JSON"),
        (_lines(1) + b'{"a": "\xe9"}\n', "line 2 is not UTF-8: byte 0xe9 at position 7"),
        (_lines(1) + b"[]\n", "line 2 is no JSON object"),
        (_lines(1) + b'{"data":{"n":18446744073709551616}}', "line 2: 18446744073709551616 is an integer over 64 bits"),
        (_lines(1) + b'{"data":{"n":[{"a": 1, "a": 2}]}}', r"line 2: data\.n\[0\]\.a: is given more than once"),
        (_lines(1) + b'{"a":' * 300 + b"1" + b"}" * 300, r"line 2: a\.a\.a\.a\.a: nests deeper than 64"),
        (_lines(1) + b'{"a":' * 3000 + b"1" + b"}" * 3000, r"line 2: a\.a\.a\.a\.a: nests deeper than 64"),
        (gzip.compress(_lines(*range(500)))[:-20], "cannot be read to its end"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, raw: bytes, said: str) -> None:
    """What cannot be decoded stops with its line."""
    file = tmp_path / "events"
    file.write_bytes(raw)
    with open_jsonl(file) as lines, pytest.raises(click.ClickException, match=said):
        list(batches(lines, 10))


def test_an_invalid_event_is_found_by_its_line() -> None:
    """The emitter counts within a batch; people count lines."""
    batch = Batch([_event(1), _event(2)], [7, 9], 100)
    assert batch.where(FieldError("[1].type", "no known event type")) == "line 9: type: no known event type"


def test_flags_make_a_cloudevent() -> None:
    """Defaults are filled in; what was given stays."""
    event = one_event("order.created", "c1", '{"order": {"total": 1}}', "/cli", None)
    assert (event["specversion"], event["type"], event["subject"]) == ("1.0", "order.created", "c1")
    assert event["data"] == {"order": {"total": 1}}
    assert event["id"] != one_event("order.created", "c1", "{}", "/cli", None)["id"]
    for data in ("{", "[]", '{"a":{"b":1,"b":2}}'):
        with pytest.raises(click.BadParameter):
            one_event("order.created", None, data, "/cli", None)


async def test_a_rate_holds_on_the_mean() -> None:
    """Twenty events at 100 a second take between 0.15 and 0.5 s: the first goes out at once."""
    started = time.monotonic()
    given = [batch async for batch in paced(iter([Batch([_event(n)] * 5, [1] * 5, 0) for n in range(4)]), 100)]
    assert len(given) == 4
    assert 0.14 < time.monotonic() - started < scaled(0.5)


async def test_what_is_late_is_caught_up() -> None:
    """A Kafka that takes 50 ms a batch does not make 1,000 a second 100: what is due meanwhile goes together."""
    source = iter([Batch([_event(n)] * 5, [n] * 5, 1) for n in range(100)])
    started, sizes = time.monotonic(), []
    async for batch in paced(source, 1000):
        sizes.append(len(batch.events))
        await asyncio.sleep(0.05)
    assert (sum(sizes), sizes[0]) == (500, 5)
    assert 0.45 < time.monotonic() - started < scaled(1)


async def test_what_stands_before_a_bad_line_goes_before_it() -> None:
    """Also what was held back to go together."""

    def read() -> Iterator[Batch]:
        for number in range(3):
            yield Batch([_event(number)], [number], 1)
        raise BadLineError("line 4 is no JSON", Batch([], [], 0))

    found = []

    async def take() -> None:
        async for batch in paced(read(), 100_000):
            found.extend(batch.numbers)
            await asyncio.sleep(0.01)

    with pytest.raises(BadLineError, match="line 4"):
        await take()
    assert found == [0, 1, 2]


@pytest.mark.kafka
def test_what_is_headraces_own_is_refused(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """From flags and from a file, with the attribute named; nothing was sent, for there is no such topic."""
    runner = CliRunner(env={"KAFKA_BOOTSTRAP_SERVERS": kafka, "HEADRACE_TOPIC_PREFIX": topic_prefix})
    flags = runner.invoke(main, ["emit", "--type", "order.created", "--source", "/headrace/scheduler"])
    assert (flags.exit_code, "source: " in flags.output) == (2, True), flags.output
    schedule = runner.invoke(main, ["emit", "--type", "temporal.daily"])
    assert (schedule.exit_code, "type: temporal events are Headrace's own" in schedule.output) == (2, True)
    file = tmp_path / "events.jsonl"
    file.write_text(json.dumps(_event(1) | {"workflowid": "5f0c1a34-9a55-4a0c-8e37-1c7f5cbb3c11"}))
    lines = runner.invoke(main, ["emit", str(file)])
    assert (lines.exit_code, "line 1: workflowid: " in lines.output) == (2, True), lines.output


def test_either_a_file_or_a_type_is_needed() -> None:
    """Neither, or both, is a usage error."""
    assert CliRunner().invoke(main, ["emit"]).exit_code == 2


@pytest.mark.kafka
async def test_a_file_arrives_whole_and_in_order(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """600 events of one entity are on the topic in the file's order; a bad one stops it after all before it."""
    settings = load_settings().model_copy(update={"topic_prefix": topic_prefix})
    topic = Topics(topic_prefix).events("order.created")
    await ensure_topics(KafkaConnection(kafka), [TopicSpec(topic, 2)], replication_factor=settings.replication_factor)
    file = tmp_path / "events.jsonl.gz"
    file.write_bytes(gzip.compress(_lines(*range(600))))
    runner = CliRunner(env={"KAFKA_BOOTSTRAP_SERVERS": kafka, "HEADRACE_TOPIC_PREFIX": topic_prefix})
    done = await asyncio.to_thread(runner.invoke, main, ["emit", str(file)])
    assert done.exit_code == 0, done.output
    assert re.search(r"600 events emitted in \d+\.\d s \([\d,]+ a second\)", done.output)
    assert await _ids(kafka, topic, 600) == [f"e{number}" for number in range(600)]
    file.write_bytes(_lines(*range(510)) + json.dumps(_event(1) | {"type": "nonsense"}).encode())
    failed = await asyncio.to_thread(runner.invoke, main, ["emit", str(file)])
    assert failed.exit_code == 2
    assert "line 511: type: " in failed.output
    assert "510 events emitted before it" in failed.output
    file.write_bytes(_lines(*range(7)) + b"{\n")
    torn = await asyncio.to_thread(runner.invoke, main, ["emit", str(file)])
    assert "line 8 is no JSON" in torn.output
    assert "7 events emitted before it" in torn.output


async def _ids(kafka: str, topic: str, count: int) -> list[str]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        return [json.loads((await in_time(consumer.getone(), 20, what=topic)).value)["id"] for _ in range(count)]
    finally:
        await consumer.stop()
