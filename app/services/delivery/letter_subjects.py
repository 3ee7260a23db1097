"""What a dead letter is about, as far as its record still tells: event id, source and entity. Never raises.

What cannot be decoded is looked through for what it would have said: most records that are no JSON were meant to be.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from app.domain.entities import id_text
from app.domain.storable import escaped
from schemas.incoming import Incoming

MAX_NAMED_CHARS: Final = 256
_MAX_SALVAGED_BYTES: Final = 64 * 1024
# A text without an end goes to the end, so that no byte is looked at from every quote before it.
_TOKEN: Final = re.compile(rb'[{}\[\]]|"[^"\\]*+(?:\\.[^"\\]*+)*+"?|-?[0-9][0-9.eE+-]*+', re.DOTALL)
_MAX_SCALAR_BYTES: Final = 4096
_COLON: Final = re.compile(rb"\s*:")


@dataclass(frozen=True, slots=True)
class About:
    """What a record says about itself; None where it does not."""

    event_id: str | None = None
    source: str | None = None
    entity: str | None = None


def about(record: Incoming) -> About:
    """Make out what a record of ours is about: an event in either content mode, a command, an execution."""
    found = tolerantly_loaded(record.value)
    event = found.get("event") if "execution_id" in found else {**found, **_attributes(record.headers or ())}
    if not isinstance(event, dict):
        event = {}
    names = (_decoded(record.key), found.get("entity"), event.get("partitionkey"), event.get("subject"))
    entity = next(filter(None, map(named, names)), None)
    return About(named(event.get("id")), named(event.get("source")), entity or named(_customer(event)))


def execution_named(value: bytes | None) -> UUID | None:
    """Return the execution that a record is a step or the row of, as far as its beginning tells."""
    found = tolerantly_loaded(value).get("execution_id")
    try:
        return UUID(found) if isinstance(found, str) else None
    except ValueError:
        return None


def named(value: Any) -> str | None:
    """Return a text or whole number as text that Postgres can hold and index, its beginning if it is long."""
    if isinstance(value, int) and value.bit_length() > MAX_NAMED_CHARS:
        return None
    text = id_text(value)
    return None if text is None else escaped(text)[:MAX_NAMED_CHARS]


def _customer(event: dict[str, Any]) -> Any:
    data = event.get("data")
    customer = data.get("customer") if isinstance(data, dict) else None
    return customer.get("id") if isinstance(customer, dict) else None


def _attributes(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, Any]:
    return {name[3:].lower(): _decoded(data) for name, data in headers if name[:3].lower() == "ce_"}


def _decoded(data: bytes | None) -> str | None:
    return None if data is None else data[: 8 * MAX_NAMED_CHARS].decode("utf-8", "replace")


def tolerantly_loaded(value: bytes | None) -> dict[str, Any]:
    """Return the object that a value holds, or what can be made out of it where it is no JSON."""
    if value is None:
        return {}
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        return _salvaged(value[:_MAX_SALVAGED_BYTES])
    return found if isinstance(found, dict) else {}


def _salvaged(value: bytes) -> dict[str, Any]:
    """Return the texts and whole numbers of objects within objects, up to where the value breaks off."""
    root: dict[str, Any] = {}
    around: list[dict[str, Any] | None] = []  # what is open: objects, and None for each array
    name: str | None = None
    for match in _TOKEN.finditer(value):
        token, inside = match[0], around[-1] if around else None
        if token in (b"}", b"]"):
            del around[-1:]
        elif token in (b"{", b"["):
            made = None if token == b"[" else {} if around else root
            if inside is not None and name is not None and made is not None:
                inside.setdefault(name, made)
            around.append(made)
        elif token.startswith(b'"') and _COLON.match(value, match.end()):
            name = _scalar(token)
            continue
        elif inside is not None and name is not None:
            inside.setdefault(name, _scalar(token))
        name = None
    return root


def _scalar(token: bytes) -> Any:
    try:
        return json.loads(token[:_MAX_SCALAR_BYTES].decode("utf-8", "replace"), strict=False)
    except ValueError:
        return None
