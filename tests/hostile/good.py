"""Good events in every outfit that a record may have: each of them must be executed, once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Final

import orjson

from app.ports import Record
from schemas.event import MAX_EVENT_BYTES
from tests.hostile.events import binary
from tests.hostile.kinds import Document, Shot, words

_STRUCTURED: Final = b"application/cloudevents+json; charset=UTF-8"
_NEARLY: Final = 3 * 1024  # below the bound, room for what an envelope needs


@dataclass(frozen=True, slots=True)
class Outfit:
    """How a good event is sent.

    Attributes:
        name: For people.
        weight: How many of a thousand wear it.
        dress: Returns the record, made of the plain one and the event in it.
        times: How often it is sent.
        odd_name: Whether it has a header whose name is no text, too.
    """

    name: str
    weight: int
    dress: Callable[[Record, Document, Random], Record]
    times: int = 1
    odd_name: bool = False


def _binary(record: Record, event: Document, _: Random) -> Record:
    headers, value = binary(event)
    return replace(record, headers=tuple(headers), value=value)


def _hundreds(record: Record, _: Document, chance: Random) -> Record:
    names = [f"{words(chance, 0, 20)}{n % 90}" for n in range(chance.randint(100, 600))]
    return replace(record, headers=tuple((name, chance.randbytes(chance.randint(0, 40))) for name in names))


def _padded(record: Record, event: Document, chance: Random) -> Record:
    room = MAX_EVENT_BYTES - _NEARLY - len(orjson.dumps(event))
    return replace(record, value=orjson.dumps(event | {"padding": "x" * (room - chance.randrange(1000))}))


def _plain(record: Record, _: Document, __: Random) -> Record:
    return record


def _with(*headers: tuple[str, bytes]) -> Callable[[Record, Document, Random], Record]:
    return lambda record, _, __: replace(record, headers=headers)


OUTFITS: Final = (
    Outfit("plain", 800, _plain),
    Outfit("binary mode", 50, _binary),
    Outfit("its mode said", 30, _with(("Content-Type", _STRUCTURED), ("x", b""))),
    Outfit("hundreds of headers", 30, _hundreds),
    Outfit("repeats and odd values", 30, _with(("t", b"\xff"), ("t", b"\0"), ("", b""))),
    Outfit("a header of a megabyte", 10, _with(("trace", b"t" * 1_200_000))),
    Outfit("sent twice", 30, _plain, times=2),
    Outfit("nearly too large", 10, _padded),
    Outfit("a header name that is no text", 10, _plain, odd_name=True),
)
# What a source makes of a record depends on its value alone.
FOREIGN: Final = tuple(one for one in OUTFITS if one.name not in {"binary mode", "nearly too large"})


def dressed(topic: str, event: Document, chance: Random, *, foreign: bool) -> list[Shot]:
    """Return the records of one good event, in an outfit by chance."""
    outfits = FOREIGN if foreign else OUTFITS
    (outfit,) = chance.choices(outfits, [one.weight for one in outfits])
    record = Record(topic, event["subject"].encode(), orjson.dumps(event))
    return [Shot(outfit.dress(record, event, chance), odd_name=outfit.odd_name)] * outfit.times
