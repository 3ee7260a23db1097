"""Other systems' topics as events: by a real worker on real Kafka, and in the preview's table."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from app.actions.registry import REGISTRY
from app.adapters.kafka.admin import ensure_topics
from app.adapters.kafka.producer import KafkaSender
from app.adapters.kafka.tail import last_records
from app.cli import main
from app.domain.kafka_connection import KafkaConnection
from app.ports import Record
from app.settings import Settings
from app.topics import Topics, TopicSpec, declare
from schemas.dead_letter import DeadLetter
from tests.support.connect_schemas import ENCODED_ROW, with_schema
from tests.support.connect_schemas import ROW as DECODED_ROW
from tests.support.sources import change, orders, shop
from tests.support.topic_records import read_all
from tests.support.waiting import eventually
from tests.support.worker_process import WorkerProcess

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

ROW = {"id": 5, "customer_id": 42, "total": "12.00"}
ORDER = {"no": 17, "amount": "99.50", "buyer": {"id": "c-1", "name": "Ana\nLima"}}


class World:
    """Two topics of other systems beside Headrace's own."""

    def __init__(self, kafka: str, prefix: str, sender: KafkaSender) -> None:
        self.kafka = kafka
        self.sender = sender
        self.plain, self.changes = f"{prefix}foreign.orders", f"{prefix}foreign.db"
        self.topics = Topics(f"{prefix}own.")
        self.settings = json.dumps([shop(topic=self.plain), orders(topic=self.changes)])

    def environment(self, database: str, home: Path) -> dict[str, str]:
        """Return a worker's variables."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "DATABASE_URL": database,
            "HEADRACE_HOME": str(home),
            "HEADRACE_TOPIC_PREFIX": self.topics.prefix,
            "HEADRACE_DATA_DIR": str(home / "workers"),
            "HEADRACE_EVENTS_PARTITIONS": "1",
            "HEADRACE_ACTIONS_PARTITIONS": "1",
            "HEADRACE_SOURCES": self.settings,
        }

    async def put(self, topic: str, *values: Any) -> None:
        """Write records as the other system would."""
        encoded = [value if isinstance(value, bytes | None) else orjson.dumps(value) for value in values]
        await self.sender.send_all([Record(topic, b"k", value) for value in encoded])

    async def events(self) -> list[dict[str, Any]]:
        """Return what is on the topic of orders."""
        return [orjson.loads(one.value or b"") for one in await read_all(self.kafka, self.topics.events("order.paid"))]


@pytest.fixture
async def world(kafka: str, topic_prefix: str) -> AsyncIterator[World]:
    """All topics there, nothing in them."""
    async with KafkaSender(KafkaConnection(kafka)) as sender:
        made = World(kafka, topic_prefix, sender)
        settings = Settings(topic_prefix=made.topics.prefix, events_partitions=1, actions_partitions=1)
        foreign = [TopicSpec(made.plain, 2), TopicSpec(made.changes, 1)]
        await ensure_topics(
            KafkaConnection(kafka), [*declare(settings, REGISTRY.names()), *foreign], replication_factor=1
        )
        yield made


async def test_records_become_events_once_each_and_the_rest_is_told(world: World, database: str, home: Path) -> None:
    """Both formats, through a kill -9: every record's event is there, under one id; what cannot be one is a letter."""
    worker = WorkerProcess("sources", "1", world.environment(database, home), home)
    await world.put(world.plain, ORDER, b"{broken")
    worker.start()
    try:
        await eventually(lambda: ids(world, 1), within=40, what="the first event")
        worker.kill()
        await world.put(world.changes, change("c", None, ROW), None, change("d", ROW))
        worker.start()
        found = await eventually(lambda: ids(world, 3), within=40, what="the events of the restarted worker")
    finally:
        await worker.stop()
    assert found == {f"{world.changes}-0-0", f"{world.changes}-0-2", *(one for one in found if world.plain in one)}
    by_id = {event["id"]: event for event in await world.events()}
    assert len(by_id) == 3
    assert by_id[f"{world.changes}-0-2"]["type"] == "order.cancelled"
    assert {(letter.topic, letter.reason) for letter in await told(world)} == {(world.plain, "not_json")}


async def test_debeziums_defaults_come_out_as_values(world: World, database: str, home: Path) -> None:
    """By the schema that comes along, and by the source's types; what does not fit is a letter that names it."""
    types = {"row.total": "decimal(2)", "row.created_at": "micro-timestamp"}
    environment = world.environment(database, home)
    environment["HEADRACE_SOURCES"] = json.dumps([orders(topic=world.changes, types=types)])
    plain = {"id": 6, "customer_id": 43, "total": "/w==", "created_at": 1_772_359_200_123_456}
    await world.put(
        world.changes,
        with_schema("u", ENCODED_ROW, ENCODED_ROW),
        change("u", None, plain),
        change("u", None, {**plain, "total": "12.00"}),
    )
    code, said = await in_thread(environment, "sources", "preview")
    assert (code, '"total":"199.90"' in said, "after.total: '12.00' is no base64" in said) == (0, True, True)
    worker = WorkerProcess("sources", "1", environment, home)
    worker.start()
    try:
        await eventually(lambda: ids(world, 2), within=40, what="the events of both changes")
        letters = await eventually(lambda: told(world), within=40, what="the letter of the third")
    finally:
        await worker.stop()
    data = [event["data"] for event in await world.events()]
    assert data == [DECODED_ROW, {**plain, "total": "-0.01", "created_at": "2026-03-01T10:00:00.123456"}]
    assert [letter.reason for letter in letters] == ["source_mismatch"]
    assert "after.total: '12.00' is no base64 of a decimal's bytes" in letters[0].detail


async def told(world: World) -> list[DeadLetter]:
    """Return the dead letters."""
    letters = await read_all(world.kafka, world.topics.dead_letters)
    return [DeadLetter.model_validate_json(one.value or b"") for one in letters]


async def ids(world: World, count: int) -> set[str]:
    """Return the ids of the events, once so many are there."""
    found = {event["id"] for event in await world.events()}
    return found if len(found) >= count else set()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty folder for a worker."""
    return tmp_path


async def test_the_last_records_of_a_topic_are_read(world: World) -> None:
    """Newest over all partitions, oldest of them first; an empty topic has none."""
    assert await last_records(KafkaConnection(world.kafka), world.changes, 3) == []
    await world.put(world.changes, *({"n": n} for n in range(8)))
    found = await last_records(KafkaConnection(world.kafka), world.changes, 3)
    assert [orjson.loads(one.value or b"")["n"] for one in found] == [5, 6, 7]
    assert [one.offset for one in found] == [5, 6, 7]


def run(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Run a command; returns its exit code and all that it printed."""
    done = CliRunner().invoke(main, list(arguments), env={**environment, "COLUMNS": "140"})
    return done.exit_code, done.output


async def in_thread(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Run a command beside this event loop; it has one of its own."""
    return await asyncio.to_thread(run, environment, *arguments)


async def test_the_preview_shows_what_records_would_become(world: World, database: str, home: Path) -> None:
    """A line each: where it is, its type, entity, time and data, or why it is none; and it sends nothing."""
    await world.put(world.plain, ORDER)
    await world.put(world.changes, change("c", None, ROW), None, {"no": "envelope"})
    code, said = await in_thread(world.environment(database, home), "sources", "preview", "--last", "2")
    lines = said.splitlines()
    assert code == 0, said
    assert lines[0] == f"shop: the last 2 records of {world.plain} (json)"
    assert lines[1].split()[:4] == ["RECORD", "BECOMES", "ENTITY", "TIME"]
    assert "  order.paid  c-1 " in lines[2]
    assert '{"order":{"id":17,"total":"99.50"},' in lines[2]
    rest = lines[lines.index(f"db: the last 2 records of {world.changes} (debezium)") :]
    assert [line.split()[:2] for line in rest[2:4]] == [["0/1", "nothing"], ["0/2", "dead"]]
    assert "op: is missing; this is no Debezium envelope" in rest[3]
    assert await world.events() == []


async def test_a_topic_that_is_not_there_is_said(world: World, database: str, home: Path) -> None:
    """By the worker as an error that names the source; by the preview, which goes on."""
    environment = world.environment(database, home)
    environment["HEADRACE_SOURCES"] = json.dumps([shop(topic="no-such-topic"), orders(topic=world.changes)])
    code, said = await in_thread(environment, "worker", "sources")
    assert code == 2
    assert "sources: HEADRACE_SOURCES: [0].topic: Kafka has no topic no-such-topic; create it" in said
    code, said = await in_thread(environment, "sources", "preview")
    assert code == 0
    assert "Kafka has no such topic" in said
    assert "It is empty" in said


async def test_a_wrong_setting_is_said_before_anything_starts(home: Path) -> None:
    """With the field; no broker is asked."""
    environment = {"HEADRACE_HOME": str(home), "HEADRACE_SOURCES": json.dumps([shop(entity=None)])}
    wrong = "HEADRACE_SOURCES: [0].entity: is missing"
    code, said = await in_thread(environment, "worker", "sources")
    assert (code, said.strip()) == (2, f"Error: sources does not start: settings: {wrong}")
    code, said = await in_thread(environment, "sources", "preview")
    assert (code, said.strip()) == (1, f"Error: {wrong}")
