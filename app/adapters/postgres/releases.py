"""Releasing what waits for circuit breakers: probes while one is half open, the rest at a bounded rate once closed.

One scheduler does it at a time, so that the rate is the installation's. To
:class:`app.services.scheduling.timers.TimerLoop` it looks like any other store of timers.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, LiteralString

import psycopg

from app.adapters.postgres.breakers import CHANNEL
from app.adapters.postgres.leading import Duty, Leadership, leading_session
from app.adapters.postgres.listening import unreachable
from app.adapters.postgres.releasing import LONGEST_WAIT_S, ReleaseSession, over_waiting, taking
from app.adapters.postgres.timers import BOUNDED
from app.adapters.postgres.timers import CHANNEL as TIMERS_CHANNEL
from app.domain.breaker import BreakerPolicy, BreakerState, free_probes, parts_of
from app.domain.pacing import Paces
from app.ports.due_timers import DueTimer, TimerSession
from app.ports.outbox import Bounds

_TIDY_EVERY_S: Final = LONGEST_WAIT_S
_WHAT: Final = "what waits for circuit breakers"

# What these ask many times a second looks at one row of each destination, not at all that wait: the first one due,
# which its ORDER BY and LIMIT find in the index under any statistics of the table.
_DUE: Final = """
SELECT now(), b.destination, b.closed, b.until, b.reason, b.probes, b.successes, b.probing_since FROM breakers b
WHERE (SELECT t.due FROM timers t WHERE t.kind = 'circuit' AND t.destination = b.destination ORDER BY t.due LIMIT 1)
    <= now()
  OR b.destination IN (
    SELECT t.destination FROM timers t WHERE t.kind = 'circuit' AND t.deadline <= now() ORDER BY t.deadline OFFSET 0)
"""
_TAKE: Final[LiteralString] = taking("circuit")
# Who has waited for too long while the breaker did not close is to fail, which asks nothing of the destination.
_TAKE_LATE: Final[LiteralString] = BOUNDED.format(
    due="""
SELECT command_id, topic, key, value, owner, extract(epoch FROM now() - deadline)::float8 AS late FROM timers
WHERE kind = 'circuit' AND deadline <= now() AND destination = ANY(%s::text[])
ORDER BY deadline LIMIT %s FOR UPDATE SKIP LOCKED"""
)
_NEXT: Final[LiteralString] = """
SELECT extract(epoch FROM least(
  (SELECT min(
    (SELECT t.due FROM timers t WHERE t.kind = 'circuit' AND t.destination = b.destination ORDER BY t.due LIMIT 1)
   ) FROM breakers b),
  (SELECT t.deadline FROM timers t WHERE t.kind = 'circuit' ORDER BY t.deadline LIMIT 1)) - now())::float8
"""
# A breaker is kept for as long as a command waits for it; one that was not asked about for an hour is forgotten.
_FORGET: Final = """
DELETE FROM breakers b WHERE (closed OR until < now() - interval '1 hour')
  AND (SELECT t.due FROM timers t WHERE t.kind = 'circuit' AND t.destination = b.destination ORDER BY t.due LIMIT 1)
    IS NULL
RETURNING destination
"""
_ADOPT: Final[LiteralString] = over_waiting(
    "circuit",
    """
INSERT INTO breakers (destination) SELECT destination FROM waiting WHERE destination IS NOT NULL ON CONFLICT DO NOTHING
""",
)


class PostgresReleases:
    """Implements ``app.ports.due_timers.TimerStore`` for the commands that wait for a breaker.

    Args:
        database_url: Any libpq connection string.
        policy: The breakers' times.
        rate: Commands a second of one destination, once its breaker has closed.
        name: What Postgres shows as ``application_name``.
    """

    def __init__(
        self, database_url: str, policy: BreakerPolicy, *, rate: float, name: str = "headrace releases"
    ) -> None:
        self._database_url = database_url
        self._policy = policy
        self._rate = rate
        self._name = name

    @asynccontextmanager
    async def open(self) -> AsyncIterator[TimerSession]:
        """Wait for the lock on a connection of its own, and listen."""
        async with leading_session(self._database_url, Duty.CIRCUITS, self._name, CHANNEL) as (connection, lead):
            with unreachable(self._name):
                await connection.execute(f"LISTEN {TIMERS_CHANNEL}")
            yield _Session(connection, lead, self._policy, self._rate)


class _Session(ReleaseSession):
    def __init__(
        self, connection: psycopg.AsyncConnection[Any], lead: Leadership, policy: BreakerPolicy, rate: float
    ) -> None:
        super().__init__(connection, lead, _WHAT, _TAKE, _NEXT)
        self._policy = policy
        self._paces = Paces(rate)
        self._tidied = 0.0

    async def fire(self, bounds: Bounds, send: Callable[[Sequence[DueTimer]], Awaitable[Sequence[DueTimer]]]) -> int:
        with unreachable(_WHAT):
            await self._tidy()
        return await super().fire(bounds, send)

    async def _due(self, bounds: Bounds) -> Sequence[DueTimer]:
        allowed, failing = await self._allowed(bounds.rows)
        await self._lead.confirm()
        half = bounds.size // 2
        due = await self._take(allowed, half)
        if failing:
            due += await self._read(_TAKE_LATE, (failing, bounds.rows, half))
        return list({timer.command_id: timer for timer in due}.values())

    async def _allowed(self, limit: int) -> tuple[dict[str, int], list[str]]:
        """Return how many of each destination may go, and the destinations whose breakers are not closed."""
        allowed: dict[str, int] = {}
        failing = []
        for row in await (await self._connection.execute(_DUE)).fetchall():
            now, destination, state = row[0], row[1], BreakerState(*row[2:])
            allowed[destination] = min(self._most(destination, state, now), limit)
            if not state.closed:
                failing.append(destination)
        return allowed, failing

    def _most(self, destination: str, state: BreakerState, now: datetime) -> int:
        if state.closed:
            return self._paces.take(parts_of(destination)[0], time.monotonic())  # of all its circuits together
        return free_probes(state, now, self._policy)

    async def _tidy(self) -> None:
        if time.monotonic() - self._tidied > _TIDY_EVERY_S:
            self._tidied = time.monotonic()
            await self._connection.execute(_ADOPT)
            for row in await (await self._connection.execute(_FORGET)).fetchall():
                self._paces.forget(parts_of(row[0])[0])
