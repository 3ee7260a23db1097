"""Turns records of other systems' topics into events: plain JSON, and Debezium's change events.

A record that is read again becomes the same event, because its id comes from the record, or from where it stands.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from app.domain.clock import utc_now
from app.domain.entities import id_text
from app.domain.errors import InvalidError, PoisonError
from app.domain.paths import MISSING, Path, parse_path
from app.domain.record_times import check_record_time, is_too_old
from app.domain.times import EPOCH, from_seconds, parse_time
from app.domain.values import as_decimal
from app.ports import Record
from app.services.delivery.letter_subjects import About, named, tolerantly_loaded
from app.services.ingest.emitter import event_record
from app.services.ingest.source_envelopes import MISMATCH, TOMBSTONE, Ignored, Opener
from app.topics import Topics
from schemas.incoming import Incoming
from schemas.source import Source

_NANOSECONDS: Final = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_ID_CHARS: Final = 256


@dataclass(frozen=True, slots=True)
class Turned:
    """An event that a record became, and the record to produce."""

    event: Mapping[str, Any]
    record: Record


@dataclass(slots=True)
class SourceTurner:
    """Turns the records of one source.

    Args:
        source: Where they come from and what they become.
        topics: Names of the topics that events go to.
        max_age: Seconds; older records are passed over. An event of one would be new to the matcher, whose own check
            is of its own topics: what was handled long ago, and forgotten since, would run again.
        clock: The time.
    """

    source: Source
    topics: Topics
    max_age: float = math.inf
    clock: Callable[[], datetime] = utc_now
    _paths: dict[str, Path] = field(default_factory=dict)
    _opener: Opener = field(init=False)

    def __post_init__(self) -> None:
        """Prepare to open records."""
        self._opener = Opener(self.source)

    def turn(self, record: Incoming) -> Turned | Ignored:
        """Return what a record becomes.

        Raises:
            PoisonError: It is no JSON object, or not what the source says; the text names the field.
        """
        if record.value is None:
            return TOMBSTONE
        if record.timestamp is not None:
            now = self.clock().timestamp()
            check_record_time(record.timestamp, now)
            if is_too_old(record.timestamp, now, self.max_age):
                return Ignored("too old", "too_old")
        value = self._opener.open(record.value)
        if isinstance(value, Ignored):
            return value
        event_type = self._type(value)
        if event_type is None:
            return Ignored("its type is mapped to null", "type_unwanted")
        return self._event(record, value, event_type)

    def about(self, record: Incoming) -> About:
        """Return what a record is about, as far as it can be made out; for one that cannot be turned."""
        value = self._opener.glimpse(tolerantly_loaded(record.value), record.value or b"")
        event_id = _place(record) if self.source.id is None else self._find(self.source.id, value)
        return About(named(event_id), f"/sources/{self.source.name}", named(self._find(self.source.entity, value)))

    def _event(self, record: Incoming, value: dict[str, Any], event_type: str) -> Turned:
        event = {
            "specversion": "1.0",
            "id": self._id(record, value),
            "source": f"/sources/{self.source.name}",
            "type": event_type,
            "subject": self._text("entity", self.source.entity, value),
            "time": self._time(record, value).isoformat(),
            "datacontenttype": "application/json",
            "data": self._data(value),
        }
        try:
            return Turned(event, event_record(self.topics, event)[0])
        except InvalidError as error:
            raise PoisonError(MISMATCH, str(error)) from None

    def _type(self, value: dict[str, Any]) -> str | None:
        rule = self.source.type
        if rule.path is None or rule.map is None:
            return rule.constant
        found = self._text("type", rule.path, value)
        if found not in rule.map:
            raise PoisonError(MISMATCH, f"type: {rule.path} is {found[:100]!r}, which is not in the map")
        return rule.map[found]

    def _id(self, record: Incoming, value: dict[str, Any]) -> str:
        if self.source.id is None:
            return _place(record)
        return self._text("id", self.source.id, value)

    def _text(self, what: str, path: str, value: dict[str, Any]) -> str:
        found = self._find(path, value)
        if found is MISSING or found is None or found == "":
            raise PoisonError(MISMATCH, f"{what}: {path} is {'missing' if found is MISSING else 'empty'}")
        text = id_text(found)
        if text is None:
            raise PoisonError(MISMATCH, f"{what}: {path} is neither a text nor a whole number")
        if len(text) > _ID_CHARS:
            raise PoisonError(MISMATCH, f"{what}: {path} has more than {_ID_CHARS} characters")
        return text

    def _time(self, record: Incoming, value: dict[str, Any]) -> datetime:
        rule = self.source.time
        found = MISSING if rule is None else self._find(rule.path, value)
        if rule is None or found is MISSING or found is None:
            return from_seconds(record.timestamp) or self.clock()
        try:
            return _moment(found, _NANOSECONDS[rule.unit])
        except (OverflowError, ValueError):
            raise PoisonError(
                MISMATCH, f"time: {rule.path} is neither an ISO 8601 time nor a number of {rule.unit}"
            ) from None

    def _data(self, value: dict[str, Any]) -> dict[str, Any]:
        shape = self.source.data
        if shape is None:
            shape = "row" if self.source.format == "debezium" else {}
        data = self._shaped(shape, value) if shape else value
        if not isinstance(data, dict):
            raise PoisonError(MISMATCH, f"data: {shape} is no object")
        return data

    def _shaped(self, shape: Any, value: dict[str, Any]) -> Any:
        if isinstance(shape, str):
            return self._find(shape, value)
        made = {name: self._shaped(inner, value) for name, inner in shape.items()}
        return {name: found for name, found in made.items() if found is not MISSING}

    def _find(self, path: str, value: dict[str, Any]) -> Any:
        parsed = self._paths.get(path)
        if parsed is None:
            parsed = self._paths[path] = parse_path(path)
        return parsed.resolve(value)


def _place(record: Incoming) -> str:
    return f"{record.topic}-{record.partition}-{record.offset}"


def _moment(found: Any, unit: int) -> datetime:
    nanoseconds = parse_time(found) if isinstance(found, str) else None
    if isinstance(found, int | float) and not isinstance(found, bool):
        # Of a number as it is written: a product of floats would be another moment.
        nanoseconds = found * unit if isinstance(found, int) else int(as_decimal(found) * unit)
    if nanoseconds is None:
        raise ValueError(found)
    return EPOCH + timedelta(microseconds=nanoseconds // 1000)
