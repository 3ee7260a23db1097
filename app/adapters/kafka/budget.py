"""How much of what was fetched may wait unfinished in a worker, in bytes and in records (docs/decisions/hot-keys.md).

One budget a process, over all partitions that it reads. Half of it is shared, the other half is each partition's own in
equal parts, so that one that is full cannot take the room of the others. Past the shared half those are paused that
hold most of it, and no other. Pure: no Kafka, no clock.
"""

from collections.abc import Hashable, Mapping
from typing import Any, Final

MIB: Final = 1024 * 1024
MOST_BYTES: Final = 64 * MIB
# Of one partition: so many come again after a crash, if its first record was stuck.
MOST_RECORDS: Final = 50_000
# Paused partitions go on when so much less is held.
_RESUME: Final = 0.75


class Budget:
    """Says which partitions to pause.

    Args:
        most_bytes: What all partitions together may hold, but for the last fetch of each.
        most_records: Most records of one partition that are not behind the frontier.

    Attributes:
        paused: Partitions to fetch nothing more from.
        pauses: How often a partition was paused.
    """

    def __init__(self, most_bytes: int = MOST_BYTES, most_records: int = MOST_RECORDS) -> None:
        self._shared = most_bytes // 2
        self._most_records = most_records
        self.paused: frozenset[Any] = frozenset()
        self.pauses = 0

    def review(self, held: Mapping[Hashable, tuple[int, int]], partitions: int) -> None:
        """Take in what each partition holds, as (bytes, records); ``partitions`` are assigned."""
        total = sum(size for size, _ in held.values())
        if not self.paused and total <= self._shared and all(n <= self._most_records for _, n in held.values()):
            return
        own = self._shared // max(partitions, 1)
        over = {tp: size - own for tp, (size, _) in held.items() if size > own}
        paused = frozenset(self._with_too_many(held) | self._with_most_bytes(over))
        self.pauses += len(paused - self.paused)
        self.paused = paused

    def forget(self) -> None:
        """Begin anew: the partitions have been given up."""
        self.paused = frozenset()

    def _with_too_many(self, held: Mapping[Hashable, tuple[int, int]]) -> set[Hashable]:
        most = self._most_records
        return {tp for tp, (_, count) in held.items() if count > (most * _RESUME if tp in self.paused else most)}

    def _with_most_bytes(self, over: Mapping[Hashable, int]) -> set[Hashable]:
        taken = sum(over.values())
        still = {tp for tp in over if tp in self.paused and taken > self._shared * _RESUME}
        if taken <= self._shared:
            return still
        most = max((size for tp, size in over.items() if tp not in still), default=0)
        return still | {tp for tp, size in over.items() if 2 * size >= most}
