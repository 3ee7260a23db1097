"""When a consumer counts as stuck: pure, over readings and a given clock (docs/design.md#32-watchdog)."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look at a consumer found, while Kafka and Postgres answered.

    Attributes:
        positions: Next offset to fetch, of each partition that ought to be fetched now; None where it is not known
            yet. Partitions held back on purpose (a full buffer, a table in recovery) are left out.
        ends: Offset after the last record that can be read, by partition.
        oldest: The partition whose first unfinished record has not changed for longest, that record's offset, and
            for how many seconds; None where nothing is unfinished.
    """

    positions: Mapping[Any, int | None]
    ends: Mapping[Any, int]
    oldest: tuple[Any, int, float] | None = None


@dataclass(slots=True)
class StallPolicy:
    """Says when a consumer is stuck.

    "Behind" alone proves nothing: the markers of transactions count as offsets. What proves it is a fetch position
    that is behind and does not move, or a record that stays unfinished longer than any command may be held.

    Attributes:
        still_seconds: How long a position may be behind and still.
        hold_seconds: How long the first unfinished record of a partition may stay the same.
        asleep_seconds: How long nobody may have looked; where it was longer this process stood still itself (SIGSTOP,
            a machine that slept), in which the consumer could not move either. Some looks long, less than the others.
    """

    still_seconds: float
    hold_seconds: float
    asleep_seconds: float
    _since: dict[Hashable, tuple[int | None, float]] = field(default_factory=dict)
    _answering_since: float | None = None
    _looked_at: float = -math.inf

    def outage(self) -> None:
        """Kafka or Postgres did not answer, or nobody asked: no time counts until both do, and then it starts anew."""
        self._since.clear()
        self._answering_since = None

    def judge(self, reading: Reading, now: float) -> str | None:
        """Take a reading at ``now`` (monotonic seconds); returns what is stuck, in words, or None."""
        if now - self._looked_at > self.asleep_seconds:
            self.outage()
        self._looked_at = now
        if self._answering_since is None:
            self._answering_since = now
        return self._unfinished(reading, now - self._answering_since) or self._still(reading, now)

    def _unfinished(self, reading: Reading, answering: float) -> str | None:
        if reading.oldest is None:
            return None
        partition, offset, age = reading.oldest
        counted = min(age, answering)
        if counted <= self.hold_seconds:
            return None
        return f"the record at offset {offset} of {partition} has been unfinished for {counted:.0f} s"

    def _still(self, reading: Reading, now: float) -> str | None:
        # Those at their end are left out: one that waited for an hour and has a record now has stood still for no time.
        behind = {tp: at for tp, at in reading.positions.items() if (at or 0) < reading.ends.get(tp, 0)}
        self._since = {tp: self._since_when(tp, position, now) for tp, position in behind.items()}
        for tp, (position, still_since) in self._since.items():
            still = now - still_since
            if still > self.still_seconds:
                return f"{tp} is read up to {position} of {reading.ends[tp]} and has not moved for {still:.0f} s"
        return None

    def _since_when(self, tp: Hashable, position: int | None, now: float) -> tuple[int | None, float]:
        before = self._since.get(tp)
        return before if before is not None and before[0] == position else (position, now)
