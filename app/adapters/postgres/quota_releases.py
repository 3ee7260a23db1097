"""Releasing runs that wait for their owner's quota: in their order, each owner at the quota's rate.

One scheduler does it at a time, so that the rate is the installation's. It is not the loop that fires other timers:
those never stand behind a user's thousands.
"""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, LiteralString

import psycopg

from app.adapters.postgres.leading import Duty, Leadership, leading_session
from app.adapters.postgres.listening import unreachable
from app.adapters.postgres.timers import BOUNDED, CHANNEL, PostgresTimerSession
from app.domain.pacing import Paces
from app.ports.due_timers import DueTimer, TimerSession
from app.ports.outbox import Bounds

# Where the quota was taken away, what waits still goes evenly.
UNLIMITED_RATE: Final = 500.0
_LOOK_AGAIN_S: Final = 0.2
_LONGEST_WAIT_S: Final = 5.0

# From each owner to the next, not over all that wait; and of each only the first.
_OWNERS: Final = """
WITH RECURSIVE waiting (owner) AS (
  (SELECT t.destination FROM timers t WHERE t.kind = 'quota' ORDER BY t.destination LIMIT 1)
  UNION ALL
  SELECT (SELECT t.destination FROM timers t WHERE t.kind = 'quota' AND t.destination > w.owner
    ORDER BY t.destination LIMIT 1) FROM waiting w WHERE w.owner IS NOT NULL
)
SELECT owner, (SELECT t.due FROM timers t WHERE t.kind = 'quota' AND t.destination = w.owner ORDER BY t.due LIMIT 1)
    <= now()
FROM waiting w WHERE owner IS NOT NULL
"""
_TAKE: Final[LiteralString] = BOUNDED.format(
    due="""
SELECT t.command_id, t.topic, t.key, t.value, t.owner, extract(epoch FROM now() - t.due)::float8 AS late
FROM unnest(%s::text[], %s::int[]) AS w (owner, most) CROSS JOIN LATERAL (
  SELECT * FROM timers WHERE kind = 'quota' AND destination = w.owner AND due <= now()
  ORDER BY due LIMIT w.most FOR UPDATE SKIP LOCKED) AS t"""
)
_NEXT: Final = """
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


class _Session(PostgresTimerSession):
    def __init__(self, connection: psycopg.AsyncConnection[Any], lead: Leadership, rate: float) -> None:
        super().__init__(connection)
        self._lead = lead
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
        allowed = {owner: count for owner, count in most.items() if count}
        return await self._read(_TAKE, (list(allowed), list(allowed.values()), bounds.size)) if allowed else []

    async def next_due(self) -> float | None:
        with unreachable("what waits for quotas"):
            row = await (await self._connection.execute(_NEXT)).fetchone()
        seconds: float | None = row[0] if row else None
        # What is due and was not let go waits for its owner's rate, not for the clock.
        return _LONGEST_WAIT_S if seconds is None else min(max(seconds, _LOOK_AGAIN_S), _LONGEST_WAIT_S)
