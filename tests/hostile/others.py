"""Hostile records on the topics behind the matcher and on those of other systems, with the reasons they must get."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final
from uuid import UUID

import orjson

from app.ports import Record
from schemas.event import MAX_EVENT_BYTES
from schemas.incoming import MAX_SLIP_NESTING
from tests.hostile.events import integer_kinds, json_kinds, numbers, time_kinds
from tests.hostile.kinds import RARE, Document, Ground, Kind, Shot, from_poison, words
from tests.integration.poison import COMMAND, EXECUTION, Reasons, poisons

_TIMES: Final[tuple[Any, ...]] = ("yesterday", "", [], -1e300, "0000-00-00T00:00:00Z")
_COMMANDS: Final[tuple[tuple[str, Callable[[Random], Any]], ...]] = (
    ("step", lambda chance: chance.choice([-1, 1, 7, "first", 10**12])),
    ("attempt", lambda chance: chance.choice([0, -3, None, "1st"])),
    ("parked", lambda _: -1),
    ("lane", lambda chance: words(chance, 1, 9)),
    ("entity", lambda chance: chance.choice([None, 5, ["c1"]])),
    ("execution_id", lambda chance: chance.choice(["", "7", words(chance, 36)])),
    ("matched_at", lambda chance: chance.choice(_TIMES)),
    ("event", lambda chance: chance.choice([None, [], "event"])),
    ("verdicts", lambda chance: chance.choice([{}, ["met"], None])),
    ("results", lambda chance: chance.choice([{}, [{"step": "one"}], [None]])),
    ("workflow", lambda chance: chance.choice([None, {}, [], {"id": "x"}, {"actions": 5}])),
    ("v", lambda chance: chance.choice([2, "1.0", None])),
)
_EXECUTIONS: Final[tuple[tuple[str, Callable[[Random], Any]], ...]] = (
    ("execution_id", lambda chance: chance.choice(["", "7", None])),
    ("attempt", lambda chance: chance.choice(["first", None, 10**12])),
    ("status", lambda chance: words(chance, 1, 20)),
    ("executed_at", lambda chance: chance.choice(["yesterday-ish", "", None])),
    ("version", lambda chance: chance.choice(["one", None, 10**12])),
)
_STRANGERS: Final[tuple[tuple[str, Callable[[Random], Any]], ...]] = (
    ("workflow_id", lambda chance: str(UUID(int=chance.getrandbits(128)))),
)
SOURCE: Final = Reasons(wrong="source_mismatch", too_large="not_json")
_SOURCES: Final[tuple[tuple[str, Callable[[Random], Any]], ...]] = (
    ("id", lambda chance: chance.choice([None, "", True, {}, 1.5, words(chance, 257)])),
    ("subject", lambda chance: chance.choice([None, "", False, ["c1"], words(chance, 300)])),
    ("data", lambda chance: chance.choice([None, [], "text", 5])),
    ("time", lambda chance: chance.choice(["soon", {}, True, 1e300, -1e300])),
)
_LETTERS: Final[tuple[tuple[str, Callable[[Random], Any]], ...]] = (
    ("partition", lambda chance: chance.choice([None, "first", 2**40])),
    ("offset", lambda chance: chance.choice([None, "first", 2**70])),
    ("failed_at", lambda chance: chance.choice(["yesterday-ish", "", None])),
    ("topic", lambda _: None),
    ("size", lambda _: "large"),
)


# What becomes of records that are none of those that have a dead letter.
UNSTORED: Final = "is no dead letter"
FAILED_ROW: Final = "ends as a row that says failed"


def command_kinds(topic: str, good: Document) -> Iterator[Kind]:
    """Yield what is no command of the topic's action type."""
    wrong = {"attempt": "first", "workflow": [], "event": 1}
    yield from from_poison(poisons(topic, good, wrong, _event_data, COMMAND))
    yield from json_kinds(COMMAND, MAX_SLIP_NESTING)
    yield from _changed(_COMMANDS, "invalid_command")
    yield Kind("of another type", "invalid_command", _of_another_type)
    yield Kind("numbers that grow", FAILED_ROW, lambda g, c: g.holding(c, numbers(c, c.randint(350, 900) * 1000)), RARE)
    yield Kind("a key that is no text, and no JSON", "not_json", lambda g, _: g.shot(b"{", key=b"\xff"))


def execution_kinds(topic: str, good: Document) -> Iterator[Kind]:
    """Yield what is no execution."""
    wrong = {"attempt": "first", "executed_at": "yesterday-ish"}
    yield from from_poison(poisons(topic, good, wrong, _event_data, EXECUTION))
    yield from json_kinds(EXECUTION, MAX_SLIP_NESTING)
    yield from _changed(_EXECUTIONS, "invalid_execution")
    yield from _changed(_STRANGERS, "refused")


def source_kinds(topic: str, good: Document) -> Iterator[Kind]:
    """Yield what a source cannot turn; a tombstone there is no fault."""
    wrong = {"id": [], "data": [1]}
    fixed = from_poison(poisons(topic, good, wrong, lambda document: document["data"], SOURCE))
    yield from (kind for kind in fixed if kind.name != "tombstone")
    yield from json_kinds(SOURCE)
    yield from integer_kinds()
    yield from _changed(_SOURCES, "source_mismatch")
    yield Kind("numbers that grow", "source_mismatch", lambda g, c: g.holding(c, numbers(c, MAX_EVENT_BYTES)), RARE)
    yield from time_kinds()


def letter_kinds(topic: str, _: Document) -> Iterator[Kind]:
    """Yield what is no dead letter: it stays in Kafka, and the sink says so in its log."""
    values = (b"{", b"\xff", None, b"[]", b"{}", b"x" * 300_000, b"\x00", b'{"v": 1, "topic": "\\u0000"}', b"[" * 5000)
    for number, value in enumerate(values):
        yield from from_poison_value(topic, f"no letter ({number})", value)
    yield from _changed(_LETTERS, UNSTORED)


def from_poison_value(topic: str, name: str, value: bytes | None) -> Iterator[Kind]:
    """Yield the kind of one fixed value."""
    yield Kind(name, UNSTORED, lambda _, __: Shot(Record(topic, b"hostile", value)))


def _event_data(document: Document) -> Document:
    found: Document = document["event"]["data"]
    return found


def _changed(fields: tuple[tuple[str, Callable[[Random], Any]], ...], reason: str) -> Iterator[Kind]:
    for name, value in fields:
        yield Kind(f"wrong {name}", reason, _with(name, value))


def _with(name: str, value: Callable[[Random], Any]) -> Callable[[Ground, Random], Shot]:
    def make(ground: Ground, chance: Random) -> Shot:
        document = ground.fresh(chance)
        return ground.shot(orjson.dumps(document | {name: "MARK"}).replace(b'"MARK"', _json(value(chance))))

    return make


def _json(value: Any) -> bytes:
    # orjson writes no integer over 64 bits.
    return str(value).encode() if isinstance(value, int) and not isinstance(value, bool) else orjson.dumps(value)


def _of_another_type(ground: Ground, chance: Random) -> Shot:
    slip = ground.fresh(chance)
    other = chance.choice(("launch_rocket", "", words(chance, 5)))
    return ground.shot({**slip, "workflow": {**slip["workflow"], "actions": [{"type": other, "order": 1}]}})
