"""Hostile records on the topics of events, by kind, with the reason that the matcher must give."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any, Final
from uuid import UUID

import orjson

from schemas.event import MAX_EVENT_BYTES
from schemas.event_types import BUSINESS_EVENT_TYPES, TEMPORAL_EVENT_TYPES, event_group
from schemas.incoming import MAX_NESTING
from tests.hostile.kinds import RARE, Document, Ground, Kind, Shot, from_poison, words
from tests.integration.poison import Reasons, event_poisons, poisons

_REASONS: Final = Reasons()
_WRONG: Final = {"id": 5, "data": [1]}
_SURROGATES: Final = ('"\\ud800"', '"a\\udc00b"', '"\\udfff\\ud800"', '{"\\ud801": 1}')
_NULS: Final = ('"\\u0000"', '["", "\\u0000x"]', '{"\\u0000": {}}', '{"a": [{"b": "x\\u0000"}]}')
_NO_NUMBERS: Final = ("NaN", "Infinity", "-Infinity", "0x10", "01", "+1", "1.", ".5", "1e", "--1", "1_000")
_BROKEN: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    ("single quotes", lambda value: value.replace(b'"', b"'")),
    ("a comma too many", lambda value: value[:-1] + b",}"),
    ("two documents", lambda value: value + value),
    ("a byte order mark", lambda value: b"\xef\xbb\xbf" + value),
    ("a comment", lambda value: b"/* hello */" + value),
    ("a control character", lambda value: value.replace(b'"data"', b'"da\x07ta"')),
    ("a registry's magic byte", lambda value: b"\x00\x00\x00\x00\x07" + value),
)
# An attribute, and what it must not be.
_ATTRIBUTES: Final[tuple[tuple[str, Callable[[Random], Any]], ...]] = (
    ("id", lambda _: ""),
    ("id", lambda chance: words(chance, 257, 3000)),
    ("id", lambda _: None),
    ("source", lambda _: ""),
    ("source", lambda chance: words(chance, 1025, 5000)),
    ("type", lambda chance: f"custom {words(chance, 3)}"),
    ("type", lambda chance: f"order.{words(chance, 3, 9)}."),
    ("type", lambda _: "custom." + "x" * 200),
    ("specversion", lambda chance: chance.choice(["0.3", "1.1", "", 1.0])),
    ("subject", lambda chance: words(chance, 257, 9000)),
    ("subject", lambda _: ["c1"]),
    ("time", lambda chance: chance.choice(["yesterday", "", [], "2026-13-01T00:00:00Z", "2026-01-01T12:00:00"])),
    ("partitionkey", lambda _: ""),
    ("causation", lambda chance: "x/y," * chance.randint(2049, 9000)),
    ("workflowid", lambda chance: chance.choice(["", "7", "not-a-uuid"])),
    ("data", lambda chance: chance.choice(["text", 5, True, None, [{}]])),
    ("data_base64", lambda _: "AAAA"),
)


def event_kinds(topic: str, good: Document) -> Iterator[Kind]:
    """Yield every kind; ``good`` is an event that the topic's reader takes."""
    yield from from_poison(poisons(topic, good, _WRONG, lambda document: document["data"], _REASONS))
    yield from from_poison(event_poisons(topic, good))
    yield from json_kinds()
    yield from _size_kinds()
    yield from _attribute_kinds()
    yield from _header_kinds()
    yield from _key_kinds()
    yield from time_kinds()


def json_kinds(reasons: Reasons = _REASONS, nesting: int = MAX_NESTING) -> Iterator[Kind]:
    """Yield what is wrong with the text of any document."""
    for name, broken in _BROKEN:
        yield Kind(name, reasons.not_json, _text(broken))
    yield Kind("cut somewhere", reasons.not_json, _cut)
    yield Kind("a number that is none", reasons.not_json, lambda g, c: g.holding(c, c.choice(_NO_NUMBERS)))
    yield Kind("a lone surrogate", reasons.not_json, lambda g, c: g.holding(c, c.choice(_SURROGATES)))
    yield Kind("a NUL somewhere", reasons.nul, lambda g, c: g.holding(c, c.choice(_NULS)))
    yield Kind("nested", reasons.too_deep, lambda g, c: g.holding(c, _nested(c, nesting)))
    yield Kind("UTF-16", reasons.not_utf8, _text(lambda value: value.decode().encode("utf-16")))
    yield Kind("Latin-1", reasons.not_utf8, lambda g, c: g.holding(c, b'"caf\xe9"'))


def _text(broken: Callable[[bytes], bytes]) -> Callable[[Ground, Random], Shot]:
    return lambda ground, chance: ground.shot(broken(orjson.dumps(ground.fresh(chance))))


def _cut(ground: Ground, chance: Random) -> Shot:
    value = orjson.dumps(ground.fresh(chance))
    return ground.shot(value[: chance.randrange(len(value))])


def _nested(chance: Random, deepest: int) -> str:
    levels = chance.choice((deepest, deepest + 1, 500, 1000, 1023, 1024, 1025, 20_000))
    opening, closing = chance.choice((("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")))
    return opening * levels + "1" + closing * levels


def integer_kinds() -> Iterator[Kind]:
    """Yield integers that no reader takes exactly."""

    def digits(ground: Ground, chance: Random) -> Shot:
        number = chance.choice((2**64, -(2**63) - 1, 10 ** chance.randint(20, 300)))
        return ground.holding(chance, str(number))

    yield Kind("an integer over 64 bits", "integer_over_64_bits", digits)


def _size_kinds() -> Iterator[Kind]:
    def over(ground: Ground, chance: Random) -> Shot:
        bare = ground.holding(chance, '""').record.value or b""
        room = MAX_EVENT_BYTES - len(bare) + chance.choice((1, 2, 100, 5000))
        return ground.holding(chance, '"' + "x" * (room + 64) + '"')

    yield Kind("just over the bound", "too_large", over, RARE)
    yield Kind("numbers that grow", "too_large", lambda g, c: g.holding(c, numbers(c, MAX_EVENT_BYTES - 2000)), RARE)
    yield Kind("numbers that grow, binary mode", "too_large", _binary_numbers, RARE)
    yield Kind("an attribute of a megabyte", "too_large", _large_attribute, RARE)
    yield Kind("attributes that add up", "too_large", _many_attributes, RARE)
    yield from integer_kinds()


def numbers(chance: Random, size: int) -> str:
    """Return a list of numbers of about so many bytes, three or four times as many once encoded again."""
    written = [f"{chance.randint(1, 9)}e{chance.randint(13, 15)}" for _ in range(size // 5)]
    return f"[{','.join(written)}]"


def _binary_numbers(ground: Ground, chance: Random) -> Shot:
    event = ground.fresh(chance)
    event["data"]["extra"] = "MARK"
    headers, value = binary(event)
    return ground.shot(value.replace(b'"MARK"', numbers(chance, MAX_EVENT_BYTES - 2000).encode()), *headers)


def _large_attribute(ground: Ground, chance: Random) -> Shot:
    headers, value = binary(ground.fresh(chance))
    size = chance.choice((MAX_EVENT_BYTES, 600_000, 1_200_000, 5_000_000))
    return ground.shot(value, *headers, (f"ce_{chance.choice(('trace', 'baggage', 'note'))}", b"t" * size))


def _many_attributes(ground: Ground, chance: Random) -> Shot:
    headers, value = binary(ground.fresh(chance))
    count = chance.randint(300, 900)
    return ground.shot(value, *headers, *[(f"ce_more{n}", b"m" * 1000) for n in range(count)])


def time_kinds() -> Iterator[Kind]:
    """Yield what claims to be of a time that nobody can have meant."""
    now = int(datetime.now(UTC).timestamp())
    claimed: tuple[tuple[str, Callable[[Random], int]], ...] = (
        ("in 1970", lambda chance: chance.randrange(86_400_000)),
        ("in seconds", lambda chance: now - chance.randrange(10_000)),
        ("before 2000", lambda chance: chance.randrange(946_000_000_000)),
        ("in the year 5000", lambda chance: 95_617_584_000_000 + chance.randrange(86_400_000)),
        ("in microseconds", lambda chance: now * 1_000_000 + chance.randrange(10**6)),
        ("in nanoseconds", lambda chance: now * 1_000_000_000 + chance.randrange(10**9)),
        ("in three days", lambda _: (now + 3 * 86_400) * 1000),
    )
    for name, at in claimed:
        yield Kind(name, "absurd_timestamp", _claiming(at))


def _claiming(at: Callable[[Random], int]) -> Callable[[Ground, Random], Shot]:
    return lambda ground, chance: replace(ground.shot(ground.fresh(chance)), at_ms=at(chance))


def _attribute_kinds() -> Iterator[Kind]:
    for number, (name, value) in enumerate(_ATTRIBUTES):
        yield Kind(f"{name} ({number})", "invalid_event", _with(name, value))
    for name in ("workflowId", "WORKFLOWID", "workflow_id", "ID", "Type", "é", ""):
        yield Kind(
            f"an attribute called {name!r}", "invalid_event", _with(name, lambda c: str(UUID(int=c.getrandbits(128))))
        )
    for name in ("id", "source", "type", "specversion"):
        yield Kind(f"no {name}", "invalid_event", _without(name))


def reserved_kinds() -> Iterator[Kind]:
    """Yield what on a topic of others claims to be Headrace's own."""
    for spelling in (
        "/headrace/scheduler",
        "/headrace/manual",
        "//HeadRace/crm",
        "/%68eadrace",
        "/shop/../headrace/crm",
    ):
        yield Kind(f"source {spelling}", "reserved", _with("source", _always(spelling)))
    yield Kind("a workflow of its choice", "reserved", _with("workflowid", lambda c: str(UUID(int=c.getrandbits(128)))))
    for event_type in TEMPORAL_EVENT_TYPES:
        yield Kind(f"a schedule's {event_type}", "reserved", _with("type", _always(event_type)))
    yield _in_headers("a schedule's type in a header", "reserved", lambda _: ("ce_type", b"temporal.daily"))
    yield _in_headers("a workflow in a header", "reserved", lambda _: ("ce_WorkflowId", str(UUID(int=7)).encode()))
    yield _in_headers("a source of ours in a header", "reserved", lambda _: ("ce_source", b"/headrace/sales"))


def wrong_topic_kinds(event_type: str) -> Iterator[Kind]:
    """Yield events of other groups than the topic's, of which ``event_type`` is one."""
    groups = {event_group(one): one for one in (*BUSINESS_EVENT_TYPES, "custom.hostile")}
    for group, other in groups.items():
        if group != event_group(event_type):
            yield Kind(f"an event of {group}", "wrong_topic", _with("type", _always(other)))
    elsewhere = next(one for group, one in groups.items() if group != event_group(event_type)).encode()
    yield _in_headers("a type of another group in a header", "wrong_topic", lambda _: ("ce_type", elsewhere))


def _always(value: str) -> Callable[[Random], Any]:
    return lambda _: value


def _with(name: str, value: Callable[[Random], Any]) -> Callable[[Ground, Random], Shot]:
    return lambda ground, chance: ground.shot(ground.fresh(chance) | {name: value(chance)})


def _without(name: str) -> Callable[[Ground, Random], Shot]:
    def make(ground: Ground, chance: Random) -> Shot:
        document = ground.fresh(chance)
        del document[name]
        return ground.shot(document)

    return make


def binary(document: Document) -> tuple[list[tuple[str, bytes]], bytes]:
    """Return an event in binary mode: its headers and its value."""
    attributes = {name: value for name, value in document.items() if name != "data"}
    return [(f"ce_{name}", str(value).encode()) for name, value in attributes.items()], orjson.dumps(document["data"])


def _header_kinds() -> Iterator[Kind]:
    yield _in_headers("a time that is none", "invalid_event", lambda _: ("ce_time", b"\xe2\x98\x83"))
    yield _in_headers("an attribute in UTF-16", "invalid_event", lambda _: ("ce_more", "é".encode("utf-16")))
    yield _in_headers("an attribute in Latin-1", "invalid_event", lambda _: ("ce_more", b"caf\xe9"))
    yield _in_headers("a NUL in a header", "nul_character", lambda _: ("ce_more", b"a\x00b"))
    yield _in_headers("an id in capitals beside the other", "invalid_event", lambda _: ("CE_ID", b"other"))
    yield _in_headers("data of another kind", "invalid_event", lambda _: ("ce_data_base64", b"AAAA"))
    batched = b"application/cloudevents-batch+json"
    yield _in_headers("batched mode", "invalid_event", lambda _: ("content-type", batched))
    yield Kind("binary mode, no JSON", "not_json", _other_value(lambda chance: chance.randbytes(200)))
    yield Kind("binary mode, an array", "not_json", _other_value(lambda _: b"[1]"))
    yield Kind("binary mode, too large", "too_large", _other_value(lambda _: b"x" * (MAX_EVENT_BYTES + 1)), RARE)
    yield Kind("binary mode, without an id", "invalid_event", _lacking("ce_id"))
    yield Kind("headers without a version", "not_json", _other_headers)


def _in_headers(name: str, reason: str, header: Callable[[Random], tuple[str, bytes]]) -> Kind:
    def make(ground: Ground, chance: Random) -> Shot:
        headers, value = binary(ground.fresh(chance))
        named = [(key, one) for key, one in headers if key != header(chance)[0]]
        return ground.shot(value, *named, header(chance))

    return Kind(name, reason, make)


def _other_value(value: Callable[[Random], bytes]) -> Callable[[Ground, Random], Shot]:
    return lambda ground, chance: ground.shot(value(chance), *binary(ground.fresh(chance))[0])


def _lacking(name: str) -> Callable[[Ground, Random], Shot]:
    def make(ground: Ground, chance: Random) -> Shot:
        headers, value = binary(ground.fresh(chance))
        return ground.shot(value, *[header for header in headers if header[0] != name])

    return make


def _other_headers(ground: Ground, chance: Random) -> Shot:
    names = [f"{words(chance, 1, 40)}-{n % 50}" for n in range(chance.randint(1, 500))]
    headers = [(name, chance.randbytes(chance.randint(0, 60))) for name in names]
    return ground.shot(b"no JSON at all", *headers)


def _key_kinds() -> Iterator[Kind]:
    keys: tuple[tuple[str, Callable[[Random], bytes]], ...] = (
        ("a long key", lambda chance: b"k" * chance.choice((513, 600, 5000, 100_000))),
        ("a key of random bytes", lambda chance: b"\xff" + chance.randbytes(chance.randint(0, 500))),
        ("a key with a NUL", lambda chance: b"k" * chance.randint(0, 500) + b"\x00"),
    )
    for name, key in keys:
        yield Kind(name, "invalid_key", _keyed(key))


def _keyed(key: Callable[[Random], bytes]) -> Callable[[Ground, Random], Shot]:
    return lambda ground, chance: ground.shot(ground.fresh(chance), key=key(chance))
