"""How finished executions and dead letters get into storage: what is asked of it, and what it can answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Logged:
    """The execution is a row.

    Attributes:
        executed_at: When it was matched, as its first writer has it.
        late: It is older than the log reaches, and went to the archive.
        event_at: When its event came into Kafka, as the execution says; None where the time from then on tells nothing.
    """

    status: str
    executed_at: datetime
    late: bool
    event_at: str | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """Nothing to write.

    ``reason`` is ``duplicate`` (written before), ``attempt`` (a higher one runs) or ``version`` (another one ran).
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It can never be written; ``detail`` says why."""

    detail: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """It is stored already: the same reader's letter of the same record."""


LogOutcome = Logged | Skipped | Refused


class LogWriter(Protocol):
    """Writes finished executions."""

    async def write(self, documents: Sequence[str]) -> list[LogOutcome]:
        """Write executions (:class:`schemas.execution.Execution` as JSON); all is durable when this returns.

        Args:
            documents: Executions in any order, repeats allowed.

        Returns:
            One outcome per document, in order.

        Raises:
            UnreachableError: Storage stayed away; what was written stays written.
        """


class DeadLetterStore(Protocol):
    """Keeps dead letters where people can look at them."""

    async def store(self, documents: Sequence[str]) -> list[Refused | Repeated | None]:
        """Store dead letters (:class:`schemas.dead_letter.DeadLetter` as JSON); one that is there already is left.

        Returns:
            For each document None, or that it was there, or why it can never be stored.

        Raises:
            UnreachableError: Storage stayed away; what was stored stays stored.
        """
