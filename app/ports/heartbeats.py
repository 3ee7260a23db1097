"""Heartbeats: what each process says of itself every few seconds, where all can read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

RECENT: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Process:
    """Who a process is: what does not change for as long as it lives.

    Attributes:
        role: What it is started by, such as ``executor-crm`` or ``admin``.
        instance: Its id within the role.
        host: The machine's, or container's, name.
        pid: There.
        version: Headrace's.
        started_at: By its own clock; tells it from its predecessors of the same role and instance.
    """

    role: str
    instance: str
    host: str
    pid: int
    version: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A process as its row has it.

    Attributes:
        process: Who it is.
        age_s: Seconds since it wrote last, by Postgres's clock.
        problems: Why it was not ready then, by what is asked; empty: it was.
        starts: How often this role and instance was started within ``RECENT``, this process included.
        figures: Some of its metrics, by name.
        stopped: It has come to an orderly end.
    """

    process: Process
    age_s: float
    problems: Mapping[str, str] = field(default_factory=dict)
    starts: int = 1
    figures: Mapping[str, float] = field(default_factory=dict)
    stopped: bool = False


class Heartbeats(Protocol):
    """Where heartbeats are kept, a row for each role and instance."""

    async def beat(self, process: Process, problems: Mapping[str, str], figures: Mapping[str, float]) -> int:
        """Say that a process lives; returns how often its role and instance was started within ``RECENT``.

        A start counts once, however often its process beats, and not any more once ``stop`` has been said of it.

        Raises:
            UnreachableError: They cannot be written.
        """
        ...

    async def stop(self, process: Process) -> None:
        """Say that a process comes to an orderly end. Of one whose successor has beaten already nothing is said.

        Raises:
            UnreachableError: They cannot be written.
        """
        ...

    async def all(self) -> Sequence[Heartbeat]:
        """Return every row, by role and instance.

        Raises:
            UnreachableError: They cannot be read.
        """
        ...

    async def close(self) -> None:
        """Let go of what is open for them; the next call opens it again."""
        ...
