"""What a moment of the database knows: its snapshot, and the place in a stream that is told from two of them.

Transactions are numbered as they begin and seen as they commit, in any order. So neither a number nor a time says what
is new since a look; a snapshot does: what it does not see is new, whatever was committed when. Who goes on from a
snapshot misses nothing and gets nothing twice.
"""

import re
from dataclasses import dataclass, field
from typing import Final, Self

_MOST_RUNNING: Final = 1000
_LARGEST: Final = 2**63 - 1
_SNAPSHOT: Final = re.compile(r"([0-9]{1,19}):([0-9]{1,19}):((?:[0-9]{1,19}(?:,[0-9]{1,19})*)?)", re.ASCII)
_PLACE: Final = re.compile(
    r"([0-9]{1,12})~([0-9:,]{1,8000})(?:~([0-9:,]{1,8000})~([0-9]{1,19})\.([0-9]{1,19})\.([0-9]{1,9}))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Which transactions a moment sees (``pg_snapshot``).

    Attributes:
        first: The lowest that was still running; those below it are seen.
        end: One past the highest that had begun; those from it on are not seen.
        running: Those between that were running.
    """

    first: int
    end: int
    running: frozenset[int] = frozenset()

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read Postgres's text of one; None where it is none."""
        match = _SNAPSHOT.fullmatch(text)
        if match is None:
            return None
        first, end = int(match[1]), int(match[2])
        running = [int(one) for one in match[3].split(",") if one]
        in_order = running == sorted(set(running)) and all(first <= one < end for one in running)
        if not (0 < first <= end <= _LARGEST and in_order and len(running) <= _MOST_RUNNING):
            return None
        return cls(first, end, frozenset(running))

    def __str__(self) -> str:
        """Return it as Postgres reads it."""
        return f"{self.first}:{self.end}:{','.join(map(str, sorted(self.running)))}"

    def sees(self, transaction: int) -> bool:
        """Tell whether what a transaction wrote is seen."""
        return transaction < self.first or (transaction < self.end and transaction not in self.running)

    @property
    def age(self) -> tuple[int, int, int]:
        """Return what grows from each snapshot of a database to a later one, unless both see the same."""
        return self.end, self.first, -len(self.running)


Mark = tuple[int, int, int]
"""Where something stands among what one look found: its transaction, its row in the feed, its place in that."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a stream has come: all that ``seen`` sees, and of what a later snapshot sees as much as up to a mark.

    Attributes:
        at: Seconds since 1970 when it was there.
    """

    at: int
    seen: Snapshot
    upto: Snapshot | None = None
    mark: Mark = field(default=(0, 0, 0))

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read the text of one; None where it is none."""
        match = _PLACE.fullmatch(text)
        if match is None:
            return None
        seen = Snapshot.read(match[2])
        upto = Snapshot.read(match[3]) if match[3] else None
        if seen is None or (match[3] and upto is None):
            return None
        mark = (int(match[4]), int(match[5]), int(match[6])) if match[3] else (0, 0, 0)
        return cls(int(match[1]), seen, upto, mark)

    def __str__(self) -> str:
        """Return it as the id of an event."""
        if self.upto is None:
            return f"{self.at}~{self.seen}"
        return f"{self.at}~{self.seen}~{self.upto}~{self.mark[0]}.{self.mark[1]}.{self.mark[2]}"

    def has(self, mark: Mark) -> bool:
        """Tell whether something was there already."""
        return self.seen.sees(mark[0]) or (self.upto is not None and self.upto.sees(mark[0]) and mark <= self.mark)
