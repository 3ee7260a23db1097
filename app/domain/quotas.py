"""Quotas of a user: how many workflows, and how fast they may run. 0 is no limit; administrators have none.

A run over the rate is not lost: it gets a later time, so that an owner's runs go on evenly at that rate. Only where
very many wait already does one more not start at all: what waits is kept in a database that all owners share.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final
from uuid import UUID

MAX_OWNERS: Final = 10_000
MAX_WAITING: Final = 100_000
NEVER: Final = math.inf
_MINUTE_S: Final = 60.0
_AT_ONCE: Final = 10
_AT_ONCE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class WorkflowQuotas:
    """How many workflows one user may have.

    Attributes:
        workflows: Workflows that are not deleted.
        active: Active workflows of one trigger type.
    """

    workflows: int = 0
    active: int = 0


NO_QUOTAS: Final = WorkflowQuotas()


class RunRate:
    """Runs a minute of each owner, in bounded memory: two seconds' runs, or ten, may go at once, then they are spaced.

    Were it a minute's, ten thousand at once would be before all others' for as long as they take.

    An owner who is put out of memory begins anew: with ten thousand of them that is one whose workflows have not run
    for a while, or one among too many to tell apart.

    Args:
        per_minute: Runs; 0 sets no limit.
        most: Owners to remember.
        waiting: Runs of one owner that may wait at a time.
    """

    def __init__(self, per_minute: int, *, most: int = MAX_OWNERS, waiting: int = MAX_WAITING) -> None:
        self._gap = _MINUTE_S / per_minute if per_minute else 0.0
        self._at_once_s = max(_AT_ONCE_S, min(_AT_ONCE, per_minute) * self._gap)
        self._most = most
        self._longest = self._gap * (waiting + 0.5)
        # When the owner's runs so far would have ended, one after the other in its gap.
        self._until: OrderedDict[UUID, float] = OrderedDict()

    def __len__(self) -> int:
        """Return how many owners are remembered."""
        return len(self._until)

    def take(self, owner: UUID, now: float) -> float:
        """Count a run, and return in how many seconds it may go: 0 at once, NEVER where too many wait: not counted.

        Args:
            owner: Whose workflow runs.
            now: Seconds of any clock.
        """
        if not self._gap:
            return 0.0
        until = max(self._until.get(owner, now), now) + self._gap
        if until - now - _MINUTE_S > self._longest:
            return NEVER
        self._until[owner] = until
        self._until.move_to_end(owner)
        if len(self._until) > self._most:
            self._until.popitem(last=False)
        wait = until - now - self._at_once_s
        return wait if wait > self._gap / 1000 else 0.0

    def forget(self, owner: UUID) -> None:
        """Begin anew for an owner who has no limit."""
        self._until.pop(owner, None)
