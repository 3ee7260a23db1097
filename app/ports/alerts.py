"""Alerts: where what they stand at is kept, what is read for them, and whom they are told to."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from app.domain.alert_states import Reading, Standing
from app.ports.heartbeats import Heartbeat


@dataclass(frozen=True, slots=True)
class Telling:
    """How far a channel is told.

    Attributes:
        told: What it was told that it fires: subjects by alert.
        tries: How often in a row it could not be told.
        next_at: Not before, in seconds since the epoch, by the session's time.
        error: Why it could not be told last; empty: it could.
    """

    told: Mapping[str, Sequence[str]] = field(default_factory=dict)
    tries: int = 0
    next_at: float = 0.0
    error: str = ""


class AlertSession(Protocol):
    """The alerts as the one scheduler sees them that judges. Every method raises ``UnreachableError``."""

    async def now(self) -> float:
        """Return the time by which standings and tellings are kept, whoever judges: seconds since the epoch."""

    async def standings(self) -> Mapping[str, Standing]:
        """Return what alerts stand at, by their full names."""

    async def keep(self, standings: Mapping[str, Standing]) -> None:
        """Store what these alerts stand at.

        Raises:
            UnreachableError: Another process may judge by now, or Postgres does not answer.
        """

    async def telling(self, channel: str) -> Telling:
        """Return how far a channel is told."""

    async def keep_telling(self, channel: str, telling: Telling) -> None:
        """Store how far a channel is told."""

    async def heartbeats(self) -> Sequence[Heartbeat]:
        """Return every process's."""

    async def readings(self) -> Mapping[str, Reading]:
        """Return what Postgres itself knows, by reading."""

    async def tell_owners(self, quiet_s: float) -> tuple[int, int]:
        """Put a note into the inbox of each owner whose workflow began to fail, or works again.

        Args:
            quiet_s: Seconds without a failure, and with a success, after which it works again.

        Returns:
            How many workflows began to fail, and how many work again.
        """


class AlertStore(Protocol):
    """Where it is kept."""

    def lead(self) -> AbstractAsyncContextManager[AlertSession]:
        """Wait until no other process judges, then open the session of the one that does.

        Raises:
            UnreachableError: Postgres does not answer.
        """


class AlertChannel(Protocol):
    """Somewhere that administrators look."""

    @property
    def name(self) -> str:
        """What it is called; no secret."""

    async def send(self, title: str, body: str) -> None:
        """Send once.

        Raises:
            ActionFailedError: It was not taken.
            UnreachableError: Its URL cannot be looked up.
        """
