"""Records and events for tests, made with as few words as possible."""

import time
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.topics import Topics


@dataclass
class FakeRecord:
    """A Kafka record as a consumer would hand it over; compared and hashed by identity."""

    value: bytes | None
    key: bytes | None = b"c1"
    topic: str = "t.events.order"
    partition: int = 0
    offset: int = 0
    timestamp: float | None = field(default_factory=time.time)
    headers: Any = ()

    __hash__ = object.__hash__


def cloud_event(**changes: Any) -> dict[str, Any]:
    """Return a valid CloudEvent envelope; ``changes`` replace attributes."""
    event = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/shop",
        "type": "order.paid",
        "subject": "c1",
        "data": {"order": {"total": 120}, "customer": {"id": "c1", "name": "Ana", "email": "ana@example.com"}},
    }
    return event | changes


def event_record(key: bytes | None = b"c1", **changes: Any) -> FakeRecord:
    """Return a structured-mode record of :func:`cloud_event`, on the topic of its type."""
    event = cloud_event(**changes)
    return FakeRecord(orjson.dumps(event), key=key, topic=Topics("t.").events(event["type"]))


def own_record(key: bytes | None = b"c1", **changes: Any) -> FakeRecord:
    """Return such a record of an event that Headrace itself made: it is on the internal topic."""
    return FakeRecord(orjson.dumps(cloud_event(**changes)), key=key, topic="t.internal-events")
