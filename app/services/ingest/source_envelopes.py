"""Opens the records of other systems' topics: parses them, takes Debezium's envelope apart, decodes what is in them.

For Debezium's envelope see https://debezium.io/documentation/reference/stable/connectors/postgresql.html, "Data change
events". The JSON converter may have wrapped a record together with its schema, as ``{"schema": ..., "payload": ...}``.
"""

from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import orjson

from app.domain.connect_decoding import Decoder, Exact, WrongValueError, decoder_of_schema, decoder_of_types
from app.domain.errors import PoisonError
from schemas.incoming import load_exactly
from schemas.source import Source, typed_paths

MISMATCH: Final = "source_mismatch"
_CHANGES: Final = frozenset("crud")
_NO_CHANGES: Final = frozenset("tm")
_WRAPPED: Final = frozenset({"schema", "payload"})
_PAYLOAD: Final = "payload"
_MAX_SCHEMAS: Final = 64
# What Debezium's connector for Postgres writes for a long value that an update left alone, as text and as bytes.
_UNAVAILABLE: Final = "__debezium_unavailable_value"
_UNAVAILABLE_BYTES: Final = b64encode(_UNAVAILABLE.encode()).decode()
_UNAVAILABLES: Final = (_UNAVAILABLE, _UNAVAILABLE_BYTES, [_UNAVAILABLE])


@dataclass(frozen=True, slots=True)
class Ignored:
    """A record that is no event, and need not be one; ``outcome`` is the metric's label."""

    why: str
    outcome: str


TOMBSTONE: Final = Ignored("a tombstone", "tombstone")


class Opener:
    """Opens the records of one source.

    Args:
        source: What its records are.
    """

    def __init__(self, source: Source) -> None:
        self._debezium = source.format == "debezium"
        self._by_types = decoder_of_types(typed_paths(source.types, source.format))
        self._by_schemas: dict[bytes, Decoder | None] = {}

    def open(self, raw: bytes) -> dict[str, Any] | Ignored:
        """Return what a source's paths lead into, decoded: by the schema where one comes along, else by ``types``.

        Raises:
            PoisonError: It is no JSON object, or not what the source says; the text names the field.
        """
        return self._opened(load_exactly(raw), raw)

    def glimpse(self, whole: dict[str, Any], raw: bytes) -> dict[str, Any]:
        """Return what can be made out of a record that cannot be opened; ``whole`` is what was read of it."""
        with suppress(PoisonError, LookupError, RecursionError, TypeError, ValueError):
            self._opened(whole, raw)  # values are decoded in place, so those before the wrong one are
        value = whole[_PAYLOAD] if self._debezium and whole.keys() == _WRAPPED else whole
        return _with_row(value) if self._debezium and isinstance(value, dict) else whole

    def _opened(self, whole: dict[str, Any], raw: bytes) -> dict[str, Any] | Ignored:
        wrapped = whole.keys() == _WRAPPED
        schema = whole["schema"] if wrapped else None
        if wrapped and whole[_PAYLOAD] is None:
            return TOMBSTONE
        if _UNAVAILABLE.encode() in raw or _UNAVAILABLE_BYTES.encode() in raw:
            _leave_out_unavailable(whole)
        if not self._debezium:
            return self._decoded(whole, _inside(schema), Exact(raw))
        value = whole[_PAYLOAD] if wrapped else whole
        if not _is_change(value):
            return Ignored("no change of a row", "no_row")
        return _with_row(self._decoded(value, schema, Exact(raw, (_PAYLOAD,) if wrapped else ())))

    def _decoded(self, value: dict[str, Any], schema: Any, exact: Exact) -> dict[str, Any]:
        decoder = self._by_schema(schema) if isinstance(schema, dict) and schema.get("fields") else self._by_types
        if decoder is None:
            return value
        try:
            decoded: dict[str, Any] = decoder.decode(value, exact)
        except WrongValueError as error:
            raise PoisonError(MISMATCH, str(error)) from None
        return decoded

    def _by_schema(self, schema: dict[str, Any]) -> Decoder | None:
        # Each record carries it along, and it hardly ever changes.
        key = orjson.dumps(schema)
        if key not in self._by_schemas:
            if len(self._by_schemas) >= _MAX_SCHEMAS:
                self._by_schemas.clear()
            self._by_schemas[key] = decoder_of_schema(schema)
        return self._by_schemas[key]


def _inside(schema: Any) -> Any:
    """The schema of the whole record, where paths lead into that."""
    usable = isinstance(schema, dict) and schema.get("fields")
    return {"type": "struct", "fields": [{**schema, "field": _PAYLOAD}]} if usable else None


def _leave_out_unavailable(value: Any) -> None:
    """Remove what the source does not know from its objects: it is missing, and its placeholder is no value."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict):
        for name in [name for name, member in value.items() if member in _UNAVAILABLES]:
            del value[name]
    for member in members:
        _leave_out_unavailable(member)


def _with_row(envelope: dict[str, Any]) -> dict[str, Any]:
    return {**envelope, "row": envelope.get("before" if envelope.get("op") == "d" else "after")}


def _is_change(value: Any) -> bool:
    op = value.get("op") if isinstance(value, dict) else None
    if not isinstance(op, str):
        raise PoisonError(MISMATCH, "op: is missing; this is no Debezium envelope, perhaps format json")
    if op not in _CHANGES | _NO_CHANGES:
        raise PoisonError(MISMATCH, f"op: {op[:100]!r} is none of Debezium's operations")
    return op in _CHANGES
