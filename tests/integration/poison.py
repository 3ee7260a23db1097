"""Records that can never be processed, made from one that can: what is done to it, and which reason it must get."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from app.domain.ids import execution_id
from app.ports import Record

# Over what an event may have, and what a slip may grow to; topics take 1 MiB.
BIG = 300 * 1024
HUGE = 1000 * 1024
_DEEP = 10_000

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Poison:
    """A record and the reason its dead letter must give."""

    name: str
    record: Record
    reason: str


@dataclass(frozen=True, slots=True)
class Reasons:
    """What a topic's reader calls each kind of fault."""

    not_json: str = "not_json"
    not_utf8: str = "not_json"
    too_deep: str = "too_deep"
    nul: str = "nul_character"
    wrong: str = "invalid_event"
    too_large: str = "too_large"


COMMAND = Reasons(wrong="invalid_command", too_large="not_json")
EXECUTION = Reasons(wrong="invalid_execution", too_large="not_json")


def command(workflow: UUID, sent: Document, action: Document) -> Document:
    """A slip at its first and only step."""
    return {
        "v": 1,
        "execution_id": str(execution_id(workflow, sent["source"], sent["id"])),
        "attempt": 1,
        "step": 0,
        "lane": "normal",
        "entity": sent["subject"],
        "workflow": {
            "id": str(workflow),
            "version": 2,
            "name": "poison",
            "owner": str(uuid4()),
            "actions": [{"order": 1, **action}],
        },
        "event": sent,
        "matched_at": datetime.now(UTC).isoformat(),
        "verdicts": [],
        "results": [],
    }


def execution(workflow: UUID, sent: Document) -> Document:
    """A finished execution that was skipped."""
    return {
        "v": 1,
        "execution_id": str(execution_id(workflow, sent["source"], sent["id"])),
        "attempt": 0,
        "workflow_id": str(workflow),
        "version": 2,
        "entity": sent["subject"],
        "event": sent,
        "conditions_met": False,
        "status": "skipped",
        "executed_at": datetime.now(UTC).isoformat(),
    }


def poisons(
    topic: str, good: Document, wrong: Document, data: Callable[[Document], Document], why: Reasons
) -> Iterator[Poison]:
    """Yield every poison of a topic.

    Args:
        topic: Where they go.
        good: A document that the topic's reader takes.
        wrong: Fields of wrong types, by name.
        data: Returns the object inside of a document that holds the event's data.
        why: The reasons expected.
    """
    encoded = orjson.dumps(good)

    def broken(value: bytes | None) -> Record:
        return Record(topic, b"poison", value)

    def holding(value: str) -> Record:
        text = orjson.dumps(_with(good, data, "MARK"))
        return broken(text.replace(b'"MARK"', value.encode()))

    yield Poison("truncated", broken(encoded[: len(encoded) // 2]), why.not_json)
    yield Poison("empty", broken(b""), why.not_json)
    yield Poison("no object", broken(b"[" + encoded + b"]"), why.not_json)
    yield Poison("wrong types", broken(orjson.dumps({**good, **wrong})), why.wrong)
    yield Poison("nothing in it", broken(b"{}"), why.wrong)
    yield Poison("too large", broken(b"x" * BIG), why.too_large)
    yield Poison("huge", broken(b"x" * HUGE), why.too_large)
    yield Poison("tombstone", broken(None), "tombstone")
    yield Poison("NUL", holding('"a\\u0000b"'), why.nul)
    yield Poison("NUL in a name", holding('{"a\\u0000b": 1}'), why.nul)
    yield Poison("arrays", holding("[" * _DEEP + "]" * _DEEP), why.too_deep)
    yield Poison("objects", holding('{"a":' * _DEEP + "1" + "}" * _DEEP), why.too_deep)
    yield Poison("NaN", holding("NaN"), why.not_json)
    yield Poison("Infinity", holding("-Infinity"), why.not_json)
    yield Poison("lone surrogate", holding('"\\ud800"'), why.not_json)
    yield Poison("not UTF-8", broken(encoded.replace(b'"data":{', b'"data":{"\xff\xfe":1,')), why.not_utf8)


def event_poisons(topic: str, good: Document) -> Iterator[Poison]:
    """Yield what only an event's record can have: keys and headers matter there."""
    record = Record(topic, b"poison", orjson.dumps(good))
    binary = (("ce_specversion", b"1.0"), ("ce_type", b"order.paid"), ("ce_source", b"/tests"))
    large = _with(good, lambda document: document["data"], "x" * BIG)
    yield Poison("key not UTF-8", replace(record, key=b"\xff\xfe"), "invalid_key")
    yield Poison("key with NUL", replace(record, key=b"a\x00b"), "invalid_key")
    yield Poison("key too long", replace(record, key=b"k" * 600), "invalid_key")
    yield Poison("large but well formed", replace(record, value=orjson.dumps(large)), "too_large")
    yield Poison("header not UTF-8", replace(record, headers=(*binary, ("ce_id", b"\xff\xfe"))), "invalid_event")
    yield Poison("header with NUL", replace(record, headers=(*binary, ("ce_id", b"a\x00b"))), "nul_character")
    yield Poison("header twice", replace(record, headers=(*binary, ("ce_id", b"1"), ("ce_id", b"2"))), "invalid_event")


def _with(good: Document, data: Callable[[Document], Document], value: Any) -> Document:
    copy: Document = orjson.loads(orjson.dumps(good))
    data(copy)["extra"] = value
    return copy


class OddName(str):
    """A header's name that is not UTF-8 on the wire, which no client would send by itself."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"\xff\xfe" + super().encode(encoding, errors)


async def produce_odd_names(servers: str, records: list[Record], partition: int) -> list[int]:
    """Produce to one partition, each record with a header whose name is no text, all in one batch."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all")
    await producer.start()
    try:
        batch = producer.create_batch()
        batch._builder = _DefaultRecordBatchBuilderPy(2, 3, 0, -1, -1, 0, 2 * HUGE)  # noqa: SLF001 - it asks the name for its bytes
        for each in records:
            batch.append(key=each.key, value=each.value, timestamp=None, headers=[*each.headers, (OddName("x"), b"1")])
        sent = await producer.send_batch(batch, records[0].topic, partition=partition)
        first = (await sent).offset
        return [first + number for number in range(len(records))]
    finally:
        await producer.stop()


async def produce(servers: str, records: list[Record], partition: int) -> list[int]:
    """Produce to one partition, in order and with nothing checked; returns the offsets."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, max_request_size=2 * HUGE, acks="all")
    await producer.start()
    try:
        sent = [
            await producer.send(each.topic, each.value, each.key, partition=partition, headers=list(each.headers))
            for each in records
        ]
        return [(await one).offset for one in sent]
    finally:
        await producer.stop()
