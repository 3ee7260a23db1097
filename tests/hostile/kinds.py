"""What a kind of hostile record is, and how a topic's share of them is drawn."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import orjson

from app.ports import Record
from tests.integration.poison import BIG, Poison

Document = dict[str, Any]
ORDINARY: Final = 8
RARE: Final = 1  # of those that weigh hundreds of kilobytes


@dataclass(frozen=True, slots=True)
class Shot:
    """A record to produce.

    Attributes:
        record: What.
        at_ms: Milliseconds since 1970 that its producer claims; None: now.
        odd_name: Whether it has a header more, whose name is no text.
    """

    record: Record
    at_ms: int | None = None
    odd_name: bool = False


@dataclass(frozen=True, slots=True)
class Ground:
    """Where records are made hostile.

    Attributes:
        topic: Where they go.
        fresh: Makes a document that the topic's reader takes, another one each time.
        data: Returns the object inside of a document that holds the event's data.
    """

    topic: str
    fresh: Callable[[Random], Document]
    data: Callable[[Document], Document]

    def shot(self, value: Document | bytes | None, *headers: tuple[str, bytes], key: bytes | None = b"hostile") -> Shot:
        """Return a record of this topic."""
        encoded = orjson.dumps(value) if isinstance(value, dict) else value
        return Shot(Record(self.topic, key, encoded, headers))

    def holding(self, chance: Random, value: bytes | str) -> Shot:
        """Return a good document whose data hold a value more, as written."""
        document = self.fresh(chance)
        self.data(document)["extra"] = "MARK"
        written = value.encode() if isinstance(value, str) else value
        return self.shot(orjson.dumps(document).replace(b'"MARK"', written))


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of hostile record.

    Attributes:
        name: Unique in its table.
        reason: What its dead letter must give.
        make: Makes one.
        weight: How often it is drawn.
    """

    name: str
    reason: str
    make: Callable[[Ground, Random], Shot]
    weight: int = ORDINARY


def from_poison(poisons: Iterable[Poison]) -> Iterator[Kind]:
    """Make kinds of records that are the same each time."""
    for poison in poisons:
        weight = RARE if len(poison.record.value or b"") >= BIG else ORDINARY
        yield Kind(poison.name, poison.reason, _always(poison.record), weight)


def _always(record: Record) -> Callable[[Ground, Random], Shot]:
    return lambda _, __: Shot(record)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One hostile record, and how it must end."""

    kind: Kind
    shot: Shot


def draw(ground: Ground, kinds: Sequence[Kind], count: int, chance: Random) -> Iterator[Drawn]:
    """Yield so many records of a topic: each kind once, as far as they go round, the rest by weight."""
    first = chance.sample(kinds, min(count, len(kinds)))
    rest = chance.choices(kinds, [kind.weight for kind in kinds], k=count - len(first))
    for kind in (*first, *rest):
        yield Drawn(kind, kind.make(ground, chance))


def words(chance: Random, at_least: int, at_most: int | None = None) -> str:
    """Return text of a length by chance, in several alphabets."""
    letters = chance.choice(("abcdefghij", "äöüßéèçñãõ", "дежзийклмн", "漢字仮名交文日本語"))
    return "".join(chance.choices(letters, k=chance.randint(at_least, at_most or at_least)))
