"""What follows from a batch of records, in parts: it may be far more than the batch, and memory has room for a part."""

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.ports import Record
from schemas.incoming import Incoming


@dataclass(frozen=True, slots=True)
class Part:
    """What is sent at once.

    Attributes:
        records: What to send, in order.
        done: The records of the batch from which nothing more follows: finished once ``records`` are durable.
    """

    records: Sequence[Record]
    done: Sequence[Any]


# Takes a batch, whose records begin as they are asked for, and yields what follows from them.
InParts = Callable[[Iterable[Incoming]], AsyncGenerator[Part]]
