"""A partition on trial: which of its records to try next, how many together, and which one is condemned.

Two processes died over the partition before they got past its frontier, and it is not known of which record. What could
have been in flight then is tried alone in the process: first some dozens of records together, then, where a process
died over those, one by one; a record that was alone when three processes died is given up.

All else in the process waits meanwhile, so a trial has a time. Records that only take long (a webhook that hangs, a
hundred of one entity) have killed nobody when it is over: they go on beside the others, and what a process dies of then
is not put down to them. A record that kills late is found all the same: the time is twice as long after each death.

A process that is stopped in an orderly way in the middle of a trial leaves the rest of it to its successor, with a time
of its own. That cannot go on without end, however often processes are stopped: what began is finished and committed
before a process ends, and the first offset that need not be tried stays the same until another one dies. So each takes
up the trial later in the same some hundred records.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.ports import Place, Suspicion

DEATHS: Final = 2
# Kills from outside may fall on a record that takes long, such as a webhook that hangs; so often in a row they do not.
ALONE_DEATHS: Final = 3
# What a worker has in flight of one partition, about: a pool's records and a batch.
IN_FLIGHT: Final = 768
TOGETHER: Final = 32
ALONE_S: Final = 30.0
LEAST_ALONE_S: Final = 5.0
_MOST_DOUBLED: Final = 5
UNKNOWN: Final = "the process died while this record alone was in work"


@dataclass(frozen=True, slots=True)
class Trial:
    """One partition's.

    Attributes:
        suspicion: Why the partition is on trial.
        until: The first offset that need not be tried.
    """

    suspicion: Suspicion
    until: int

    @property
    def place(self) -> Place:
        """Topic and partition."""
        return self.suspicion.place

    @property
    def detail(self) -> str:
        """What is known of the deaths, for the dead letter of a condemned record."""
        said = self.suspicion.error
        return f"{self.suspicion.alone_deaths} times {UNKNOWN}{f': {said}' if said else ''}"

    def condemned(self, offset: int) -> bool:
        """Whether the record was alone when processes died, often enough."""
        return self.suspicion.alone == (offset, offset + 1) and self.suspicion.alone_deaths >= ALONE_DEATHS

    def together(self, offset: int) -> int:
        """How many records may be tried together from an offset on."""
        alone = self.suspicion.alone
        died_over = alone is not None and self.suspicion.alone_deaths > 0 and offset < alone[1]
        few = self.until - max(0, self.suspicion.frontier) <= TOGETHER
        return 1 if died_over or few else TOGETHER


def time_alone(trials: Sequence[Trial]) -> float:
    """Return for how many seconds all else may wait for these."""
    deaths = max((trial.suspicion.deaths for trial in trials), default=DEATHS)
    return ALONE_S * float(2 ** min(deaths - DEATHS, _MOST_DOUBLED))


def end_of_flight(frontier: int, end: int, watched: int | None = None) -> int:
    """Return the first offset that cannot have been in flight, of a partition with records up to before ``end``.

    It stays where it was named, in ``watched``, for as long as no other process has died.
    """
    if end <= max(0, frontier):
        return frontier
    until = end if frontier < 0 else min(end, frontier + IN_FLIGHT)
    return until if watched is None else min(until, watched)


def begin_trials(suspicions: list[Suspicion], untils: dict[Place, int]) -> list[Trial]:
    """Return the trials there must be; first of partitions with records that a process died over while alone."""
    trials = [
        Trial(one, untils[one.place])
        for one in suspicions
        if one.deaths >= DEATHS and max(0, one.frontier) < untils[one.place]
    ]
    return sorted(trials, key=lambda trial: -trial.suspicion.alone_deaths)
