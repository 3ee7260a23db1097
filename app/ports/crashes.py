"""What outlives a process that dies of a record, so that its successors do not (docs/design.md#33-deadly-records)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A partition that processes died over: as far as is known, of one of its records.

    Attributes:
        place: Topic and partition.
        frontier: Offset that it is read from.
        deaths: How often in a row a process died uncleanly while it held the partition about here.
        alone: First offset, and the one after the last, of the records that were in work alone in the process when one
            died last; None where none were.
        alone_deaths: How often one died over just these.
        error: What the last one could say of its death; empty where it could say nothing.
        watched: The first offset that the next death cannot be due to, as :meth:`Crashes.watch` named it and where none
            has died since; None where it is to be named anew.
    """

    place: Place
    frontier: int
    deaths: int
    alone: tuple[int, int] | None = None
    alone_deaths: int = 0
    error: str = ""
    watched: int | None = None


class Crashes(Protocol):
    """Remembers for one process of a consumer group which partitions it holds, and how those before it ended.

    Every method raises ``UnreachableError`` where Postgres does not serve.
    """

    async def hold(self, frontiers: Mapping[Place, int]) -> Sequence[Suspicion]:
        """Take hold of partitions, by where they are read from (-1: from their beginning).

        The first hold makes this the newest process of its instance. A process that holds again lives: deaths that
        others have counted of it meanwhile, while it was frozen or had lost its session, it takes back.

        A partition that another process holds still was not let go: that process died. It counts one death more where
        the partition is read from below the offset that :meth:`watch` named at the last, else it is the first.

        Returns those with deaths.

        Raises:
            SupersededError: A newer process of this instance holds; two of one name would fence each other for ever.
        """

    async def watch(self, ends: Mapping[Place, int]) -> None:
        """Name for each partition with deaths the first offset that the next death cannot be due to any more."""

    async def mark(self, place: Place, first: int, end: int) -> None:
        """Say that the records from ``first`` to before ``end`` are in work, alone in this process, until told anew.

        None are where both are 0: what this process dies of then is put down to no record.
        """

    async def clear(self, place: Place) -> None:
        """Forget the deaths of a partition that this process holds, and what was alone."""

    async def let_go(self, error: str | None = None) -> None:
        """End the hold of everything; ``error``: do not, this process dies, and of what.

        Who ends its hold takes back the deaths that others have counted of it.
        """
