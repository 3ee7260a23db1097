"""What lets timers of one kind go that wait for something else than the clock: led, by destination, at a bounded rate.

One scheduler does it at a time, so that the rate is the installation's.
"""

from collections.abc import Mapping
from typing import Any, Final, LiteralString

import psycopg

from app.adapters.postgres.leading import Leadership
from app.adapters.postgres.listening import unreachable
from app.adapters.postgres.timers import BOUNDED, PostgresTimerSession
from app.ports.due_timers import DueTimer

LOOK_AGAIN_S: Final = 0.2
LONGEST_WAIT_S: Final = 5.0

_FROM_ONE_TO_THE_NEXT: Final[LiteralString] = """
WITH RECURSIVE waiting (destination) AS (
  (SELECT t.destination FROM timers t WHERE t.kind = '{kind}' ORDER BY t.destination LIMIT 1)
  UNION ALL
  SELECT (SELECT t.destination FROM timers t WHERE t.kind = '{kind}' AND t.destination > w.destination
    ORDER BY t.destination LIMIT 1) FROM waiting w WHERE w.destination IS NOT NULL
)
{query}"""
# Of each destination as many as it may have, those first that have waited longest.
_TAKE: Final[LiteralString] = """
SELECT t.command_id, t.topic, t.key, t.value, t.owner, extract(epoch FROM now() - t.due)::float8 AS late
FROM unnest(%s::text[], %s::int[]) AS w (destination, most) CROSS JOIN LATERAL (
  SELECT * FROM timers WHERE kind = '{kind}' AND destination = w.destination AND due <= now()
  ORDER BY due LIMIT w.most FOR UPDATE SKIP LOCKED) AS t"""


def over_waiting(kind: LiteralString, query: LiteralString) -> LiteralString:
    """Return a query over ``waiting``, which has each destination of which timers of a kind wait, and a last null.

    It goes from each destination to the next, not over all that wait.
    """
    return _FROM_ONE_TO_THE_NEXT.format(kind=kind, query=query)


def taking(kind: LiteralString) -> LiteralString:
    """Return the query that locks timers of a kind: for destinations, how many of each, and a bound in bytes."""
    return BOUNDED.format(due=_TAKE.format(kind=kind))


class ReleaseSession(PostgresTimerSession):
    """A session of the scheduler that leads.

    Args:
        connection: The connection, which listens.
        lead: What is read counts only while this holds.
        what: Is let go, for errors.
        take: The query of :func:`taking`.
        ahead: The query for the seconds until the first is due.
    """

    def __init__(
        self,
        connection: psycopg.AsyncConnection[Any],
        lead: Leadership,
        what: str,
        take: LiteralString,
        ahead: LiteralString,
    ) -> None:
        super().__init__(connection)
        self._lead = lead
        self._what = what
        self._take_query = take
        self._ahead_query = ahead

    async def _take(self, most: Mapping[str, int], size: int) -> list[DueTimer]:
        """Lock as many of each destination as may go, in the caller's transaction."""
        allowed = {destination: count for destination, count in most.items() if count}
        if not allowed:
            return []
        return await self._read(self._take_query, (list(allowed), list(allowed.values()), size))

    async def next_due(self) -> float | None:
        """Return the seconds after which to look again."""
        with unreachable(self._what):
            row = await (await self._connection.execute(self._ahead_query)).fetchone()
        seconds: float | None = row[0] if row else None
        # What is due and was not let go waits for something else than the clock.
        return LONGEST_WAIT_S if seconds is None else min(max(seconds, LOOK_AGAIN_S), LONGEST_WAIT_S)
