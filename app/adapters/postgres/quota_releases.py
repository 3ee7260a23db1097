"""Releasing runs that wait for their owner's quota: in their order, each owner at the quota's rate.

It is not the loop that fires other timers:
those never stand behind a user's thousands.
"""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, LiteralString

import psycopg

from app.adapters.postgres.leading import Duty, Leadership, leading_session
from app.adapters.postgres.releasing import ReleaseSession, over_waiting, taking
from app.adapters.postgres.timers import CHANNEL
from app.domain.pacing import Paces
from app.ports.due_timers import DueTimer, TimerSession
from app.ports.outbox import Bounds

# Where the quota was taken away, what waits still goes evenly.
UNLIMITED_RATE: Final = 500.0

# An owner is a destination here. Of each only the first that waits is looked at.
_OWNERS: Final[LiteralString] = over_waiting(
    "quota",
    """
SELECT destination, (SELECT t.due FROM timers t WHERE t.kind = 'quota' AND t.destination = w.destination
  ORDER BY t.due LIMIT 1) <= now()
FROM waiting w WHERE destination IS NOT NULL
""",
)
_TAKE: Final[LiteralString] = taking("quota")
_NEXT: Final[LiteralString] = """
SELECT extract(epoch FROM min(due) - now())::float8 FROM timers WHERE kind = 'quota'
"""


class PostgresQuotaReleases:
    """Implements ``app.ports.due_timers.TimerStore`` for the runs that wait for their owner's quota.

    Args:
        database_url: Any libpq connection string.
        per_minute: Runs a minute of one owner; 0: as many as go evenly.
        name: What Postgres shows as ``application_name``.
    """

    def __init__(self, database_url: str, per_minute: int, *, name: str = "headrace quotas") -> None:
        self._database_url = database_url
        self._rate = per_minute / 60 if per_minute else UNLIMITED_RATE
        self._name = name

    @asynccontextmanager
    async def open(self) -> AsyncIterator[TimerSession]:
        """Wait for the lock on a connection of its own, and listen."""
        async with leading_session(self._database_url, Duty.QUOTAS, self._name, CHANNEL) as (connection, lead):
            yield _Session(connection, lead, self._rate)


class _Session(ReleaseSession):
    def __init__(self, connection: psycopg.AsyncConnection[Any], lead: Leadership, rate: float) -> None:
        super().__init__(connection, lead, "what waits for quotas", _TAKE, _NEXT)
        self._paces = Paces(rate)
        self._waiting: set[str] = set()

    async def _due(self, bounds: Bounds) -> Sequence[DueTimer]:
        rows = await (await self._connection.execute(_OWNERS)).fetchall()
        await self._lead.confirm()
        waiting = {owner for owner, _ in rows}
        for owner in self._waiting - waiting:
            self._paces.forget(owner)
        self._waiting = waiting
        now = time.monotonic()
        most = {owner: min(self._paces.take(owner, now), bounds.rows) for owner, due in rows if due}
        return await self._take(most, bounds.size)
