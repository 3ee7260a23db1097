"""What one look at the topics of events may take."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from schemas.incoming import Incoming

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds, and bytes of records."""

    seconds: float = 5.0
    bytes: int = 32 * MIB


class Spent:
    """What a look has taken of its bounds.

    Args:
        bounds: Them.
        clock: Seconds, monotonic.
    """

    def __init__(self, bounds: Bounds, clock: Callable[[], float]) -> None:
        self._bounds = bounds
        self._clock = clock
        self._until = clock() + bounds.seconds
        self.bytes = 0
        self.records = 0

    def add(self, records: Iterable[Incoming]) -> None:
        """Count records that were read."""
        for record in records:
            self.records += 1
            self.bytes += len(record.key or b"") + len(record.value or b"")
            self.bytes += sum(len(name) + len(value or b"") for name, value in record.headers or ())

    @property
    def out(self) -> bool:
        """Whether no more may be read."""
        return self.bytes >= self._bounds.bytes or self._clock() >= self._until
