"""Alerts in memory, which pass the same contract test as those in Postgres, and a channel that tests look into."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from app.domain.alert_states import Reading, Standing
from app.domain.errors import ActionFailedError
from app.ports.alerts import AlertSession, Telling
from app.ports.heartbeats import Heartbeat


class MemoryAlerts:
    """Implements ``app.ports.alerts.AlertStore`` and its session.

    Attributes:
        beats: What processes say.
        read: What is read.
        time: What time it is.
    """

    def __init__(self) -> None:
        self._standings: dict[str, Standing] = {}
        self._tellings: dict[str, Telling] = {}
        self.beats: list[Heartbeat] = []
        self.read: dict[str, Reading] = {}
        self.time = 0.0

    @asynccontextmanager
    async def lead(self) -> AsyncIterator[AlertSession]:
        """Open it; nobody else does."""
        yield self

    async def now(self) -> float:
        return self.time

    async def standings(self) -> Mapping[str, Standing]:
        return dict(self._standings)

    async def keep(self, standings: Mapping[str, Standing]) -> None:
        self._standings |= standings

    async def telling(self, channel: str) -> Telling:
        return self._tellings.get(channel, Telling())

    async def keep_telling(self, channel: str, telling: Telling) -> None:
        self._tellings[channel] = telling

    async def heartbeats(self) -> Sequence[Heartbeat]:
        return list(self.beats)

    async def readings(self) -> Mapping[str, Reading]:
        return dict(self.read)

    async def tell_owners(self, quiet_s: float) -> tuple[int, int]:
        return (0, 0)


class MemoryChannel:
    """Implements ``app.ports.alerts.AlertChannel``.

    Attributes:
        sent: Titles and texts, as they came.
        failing: True: it takes none.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.sent: list[tuple[str, str]] = []
        self.failing = False

    async def send(self, title: str, body: str) -> None:
        if self.failing:
            raise ActionFailedError(f"channel {self.name}: the service answered 500")
        self.sent.append((title, body))
