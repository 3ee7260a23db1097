"""Kafka records as they come in, and how a CloudEvent is read off one (both content modes).

CloudEvents Kafka protocol binding 1.0.2: structured mode carries the whole event as JSON in the value, binary mode
carries the attributes in ``ce_*`` headers and ``data`` in the value.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Protocol

import orjson
from pydantic import ValidationError

from app.domain.entities import entity_of
from app.domain.errors import PoisonError
from app.domain.storable import unstorable
from schemas.attributes import NO_JSON, declares_json, fits, unfit
from schemas.base import stored_size
from schemas.event import MAX_EVENT_BYTES, Event
from schemas.field_errors import field_errors, path_text
from schemas.integers import over_64_bits
from schemas.json_places import given_up_at, may_repeat_keys, not_utf8, repeated_keys

MAX_NESTING: Final = 64
# A slip or an execution holds an event, a revision and answers of others, each some levels down.
MAX_SLIP_NESTING: Final = 2 * MAX_NESTING
MAX_ENTITY_BYTES: Final = 512
# Encoded again, JSON grows where numbers are written short: 1e15 becomes 1000000000000000.0, and in Postgres 1e19 a
# whole number of twenty digits. Counted with the comma nothing becomes five times as long.
_MAY_GROW_OVER: Final = MAX_EVENT_BYTES // 5
_MOST_NAMED: Final = 10
_STRUCTURED: Final = "application/cloudevents+json"
_BATCHED: Final = "application/cloudevents-batch"


class Incoming(Protocol):
    """A Kafka record as a consumer hands it over; ``timestamp`` is in seconds since 1970."""

    @property
    def topic(self) -> str:
        """Topic it was read from."""

    @property
    def partition(self) -> int:
        """Partition it was read from."""

    @property
    def offset(self) -> int:
        """Offset in that partition."""

    @property
    def timestamp(self) -> float | None:
        """Kafka's timestamp."""

    @property
    def key(self) -> bytes | None:
        """Key bytes."""

    @property
    def value(self) -> bytes | None:
        """Value bytes; None is a tombstone."""

    @property
    def headers(self) -> Any:
        """Headers, repeats kept, as (name, bytes) pairs."""


@dataclass(frozen=True, slots=True)
class IncomingEvent:
    """An event, checked. ``raw`` is the envelope with its data, ``encoded`` the same as JSON bytes."""

    event: Event
    raw: dict[str, Any]
    encoded: bytes
    entity: str


def decode_event(record: Incoming) -> IncomingEvent:
    """Read the CloudEvent off a record.

    Raises:
        PoisonError: It is no event; the reason is one of tombstone, too_large, not_json, too_deep, nul_character,
            integer_over_64_bits, repeated_key, invalid_event, invalid_key.
    """
    value = record.value
    headers = record.headers or ()
    binary, content_type = _attributes(headers) if headers else (None, None)
    if value is None:
        raise PoisonError("tombstone", "the record has no value")
    if len(value) > MAX_EVENT_BYTES:
        raise PoisonError("too_large", f"{len(value)} bytes; an event has at most {MAX_EVENT_BYTES}")
    if binary is None:
        (raw, again), encoded = _read_exactly(value), value
        if not declares_json(content_type):
            raise PoisonError("invalid_event", f"content-type: {NO_JSON}")
        size = stored_size(again) if len(value) > _MAY_GROW_OVER else 0
    else:
        raw = {**binary, "data": load_exactly(value) if value else {}}
        encoded = orjson.dumps(raw)
        size = stored_size(encoded)
    if size > MAX_EVENT_BYTES:
        raise PoisonError(
            "too_large", f"{size} bytes with its attributes, as slips hold it; an event has at most {MAX_EVENT_BYTES}"
        )
    event = validate_event(raw)
    return IncomingEvent(event, raw, encoded, _entity(record.key, event))


def load_exactly(value: bytes) -> dict[str, Any]:
    """Parse as :func:`load_object` does, and refuse what would not come out as it was written.

    Raises:
        PoisonError: not_json, too_deep, nul_character, integer_over_64_bits or repeated_key.
    """
    return _read_exactly(value)[0]


def _read_exactly(value: bytes) -> tuple[dict[str, Any], bytes]:
    """Return what :func:`load_exactly` does, and the same encoded again."""
    loaded = load_object(value)
    inexact = over_64_bits(value)
    if inexact is not None:
        raise PoisonError("integer_over_64_bits", inexact)
    again = orjson.dumps(loaded)
    repeated = repeated_keys(value) if may_repeat_keys(value, again) else ()
    if repeated:
        raise PoisonError.naming("repeated_key", repeated)
    return loaded, again


def validate_event(raw: dict[str, Any]) -> Event:
    """Check an envelope.

    Raises:
        PoisonError: ``invalid_event``, naming each wrong attribute.
    """
    if "data_base64" in raw:
        raise PoisonError("invalid_event", "data_base64: the data must be a JSON object")
    try:
        event = Event.model_validate(raw)
    except ValidationError as error:
        raise PoisonError.naming("invalid_event", field_errors(error, Event)) from None
    if not fits(event):
        raise PoisonError.naming("invalid_event", unfit(raw))
    return event


def load_object(value: bytes, *, max_nesting: int = MAX_NESTING) -> dict[str, Any]:
    """Parse a JSON object strictly: no NaN, no lone surrogate, no NUL, at most ``max_nesting`` levels.

    Raises:
        PoisonError: not_json, too_deep or nul_character.
    """
    try:
        loaded = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        deep = given_up_at(error, value, max_nesting)
        if deep is not None:
            raise PoisonError("too_deep", f"{deep.path}: {deep.message}") from None
        raise PoisonError("not_json", _not_utf8(value) or str(error)[:300]) from None
    if not isinstance(loaded, dict):
        raise PoisonError("not_json", "the value must be a JSON object")
    _check_text_and_depth(value, loaded, max_nesting)
    return loaded


def _not_utf8(value: bytes) -> str:
    said = not_utf8(value)
    return f"the value {said}" if said else ""


def may_nest_deeper(value: bytes, levels: int) -> bool:
    """Tell, without parsing it, whether JSON might nest deeper than so many levels."""
    return value.count(b"{") + value.count(b"[") > levels


def _check_text_and_depth(value: bytes, loaded: dict[str, Any], max_nesting: int) -> None:
    # Counting bytes is cheap; the walk is for the rare value that might break a rule.
    deep = may_nest_deeper(value, max_nesting)
    # Most values hold no backslash at all, which is found out in no time.
    if not deep and not (b"\\" in value and b"\\u0000" in value):
        return
    pending: list[tuple[Any, int]] = [(loaded, 1)]
    while pending:
        item, depth = pending.pop()
        if "\x00" in item if isinstance(item, str) else depth > max_nesting and isinstance(item, dict | list):
            raise _unstorable(loaded, max_nesting)
        pending.extend((child, depth + 1) for child in _children(item))


def _unstorable(loaded: dict[str, Any], max_nesting: int) -> PoisonError:
    """Say what it is that cannot be stored of a document, and where; that there is something is known."""
    found = list(islice(unstorable(loaded, max_nesting), _MOST_NAMED))
    deep = [one for one in found if one.is_deep]
    said = "; ".join(f"{path_text(one.place)}: {one.message}" for one in deep or found)
    return PoisonError("too_deep", said) if deep else PoisonError("nul_character", said)


def _children(item: object) -> Iterable[Any]:
    if isinstance(item, dict):
        return [*item.values(), *(key for key in item if "\x00" in key)]
    return item if isinstance(item, list) else ()


def _attributes(headers: Sequence[tuple[str, bytes]]) -> tuple[dict[str, Any] | None, str | None]:
    """Attributes of binary mode, or None where the record is in structured mode; and the content type, if any."""
    found: dict[str, Any] = {}
    content_type = ""
    for name, data in headers:
        lowered = name.lower()
        if lowered != "content-type" and not lowered.startswith("ce_"):
            continue
        text = _text(lowered, data)
        if lowered == "content-type":
            content_type = text
        elif lowered[3:] in found:
            raise PoisonError("invalid_event", f"header {lowered}: given twice")
        else:
            found[lowered[3:]] = text
    kind = content_type.lower()
    if kind.startswith(_BATCHED):
        raise PoisonError("invalid_event", "content-type: batched mode is not for Kafka; send one event per record")
    if kind.startswith(_STRUCTURED) or "specversion" not in found:
        return None, content_type or None
    if content_type:
        found["datacontenttype"] = content_type
    return found, content_type or None


def _text(name: str, data: bytes | None) -> str:
    try:
        text = (data or b"").decode("utf-8")
    except UnicodeDecodeError:
        raise PoisonError("invalid_event", f"header {name}: {not_utf8(data or b'')}") from None
    if "\x00" in text:
        raise PoisonError("nul_character", f"header {name} holds a NUL character")
    return text


def _entity(key: bytes | None, event: Event) -> str:
    """What orders this event: the record key, or else what its attributes name."""
    if key:
        return decode_key(key)
    entity = entity_of(event.id, event.partitionkey, event.subject, event.data).name
    if len(entity.encode()) > MAX_ENTITY_BYTES:
        raise PoisonError("invalid_key", f"the entity is longer than {MAX_ENTITY_BYTES} bytes")
    return entity


def decode_key(key: bytes) -> str:
    """Read a record key as an entity.

    Raises:
        PoisonError: ``invalid_key``: not UTF-8, holds a NUL character, or longer than 512 bytes.
    """
    if len(key) > MAX_ENTITY_BYTES:
        raise PoisonError("invalid_key", f"the key is longer than {MAX_ENTITY_BYTES} bytes")
    try:
        text = key.decode("utf-8")
    except UnicodeDecodeError:
        raise PoisonError("invalid_key", f"the key {not_utf8(key)}") from None
    if "\x00" in text:
        raise PoisonError("invalid_key", "the key holds a NUL character")
    return text
