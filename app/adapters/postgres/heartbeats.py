"""Heartbeats in Postgres, over one connection that a process keeps for them: a statement every few seconds."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.listening import session, unreachable
from app.domain.errors import UnreachableError
from app.ports.heartbeats import RECENT, Heartbeat, Process

_WITHIN_S: Final = 5.0
_NAME: Final = "headrace heartbeats"
_WHAT: Final = "heartbeats"

_BEAT: Final = """
INSERT INTO heartbeats AS h (role, instance, host, pid, version, started_at, ready, problems, figures, starts)
VALUES (%(role)s, %(instance)s, %(host)s, %(pid)s, %(version)s, %(started_at)s, %(ready)s, %(problems)s, %(figures)s,
  CASE WHEN %(started_at)s > now() - %(recent)s::interval THEN ARRAY[%(started_at)s::timestamptz] ELSE '{}' END)
ON CONFLICT (role, instance) DO UPDATE SET
  host = excluded.host, pid = excluded.pid, version = excluded.version, started_at = excluded.started_at,
  seen_at = now(), stopped_at = NULL, ready = excluded.ready, problems = excluded.problems, figures = excluded.figures,
  starts = ARRAY(SELECT DISTINCT s FROM unnest(h.starts || excluded.starts) AS s
    WHERE s > now() - %(recent)s::interval ORDER BY s)
RETURNING cardinality(starts)
"""
_STOP: Final = """
UPDATE heartbeats SET stopped_at = now(), seen_at = now(), ready = false, problems = '{}',
  starts = array_remove(starts, started_at)
WHERE role = %(role)s AND instance = %(instance)s AND started_at = %(started_at)s
"""
_ALL: Final = """
SELECT role, instance, host, pid, version, started_at, extract(epoch FROM now() - seen_at)::float8, problems,
  (SELECT count(*) FROM unnest(starts) AS s WHERE s > now() - %(recent)s::interval), figures, stopped_at IS NOT NULL
FROM heartbeats ORDER BY role, instance
"""


class PostgresHeartbeats:
    """Implements ``app.ports.heartbeats.Heartbeats``.

    Args:
        database_url: Any libpq connection string.
        role: The process's database role: Postgres lets it write its own rows only.
    """

    def __init__(self, database_url: str, role: DatabaseRole) -> None:
        self._database_url = database_url
        self._role = role
        self._stack = AsyncExitStack()
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._turn = asyncio.Lock()

    async def beat(self, process: Process, problems: Mapping[str, str], figures: Mapping[str, float]) -> int:
        """Write the row; see :class:`app.ports.heartbeats.Heartbeats`."""
        values = {
            **_named(process),
            "ready": not problems,
            "problems": Jsonb(dict(problems)),
            "figures": Jsonb(dict(figures)),
            "recent": RECENT,
        }
        async with self._asked() as connection:
            (starts,) = (await (await connection.execute(_BEAT, values)).fetchall())[0]
        return int(starts)

    async def stop(self, process: Process) -> None:
        """Mark the row; see :class:`app.ports.heartbeats.Heartbeats`."""
        async with self._asked() as connection:
            await connection.execute(_STOP, _named(process))

    async def all(self) -> Sequence[Heartbeat]:
        """Read every row; see :class:`app.ports.heartbeats.Heartbeats`."""
        async with self._asked() as connection:
            return await read_heartbeats(connection)

    async def ping(self) -> str:
        """Ask Postgres for anything.

        Raises:
            UnreachableError: It does not answer within 5 s.
        """
        async with self._asked() as connection:
            await connection.execute("SELECT 1")
        return "answers"

    async def close(self) -> None:
        """Close the connection; the next call opens another."""
        self._connection = None
        stack, self._stack = self._stack, AsyncExitStack()
        await stack.aclose()

    @asynccontextmanager
    async def _asked(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Lend the connection to one caller at a time; after any failure the next one gets a new one."""
        async with self._turn:
            try:
                async with asyncio.timeout(_WITHIN_S):
                    with unreachable(_WHAT):
                        yield await self._opened()
            except TimeoutError:
                await self.close()
                raise UnreachableError(f"Postgres did not answer within {_WITHIN_S:g} s") from None
            except BaseException:
                await self.close()
                raise

    async def _opened(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None:
            opening = session(self._database_url, self._role, _NAME)
            self._connection = await self._stack.enter_async_context(opening)
        return self._connection


async def read_heartbeats(connection: psycopg.AsyncConnection[Any]) -> Sequence[Heartbeat]:
    """Return every row, over any connection of a role of ours."""
    rows = await (await connection.execute(_ALL, {"recent": RECENT})).fetchall()
    return [Heartbeat(Process(*row[:6]), *row[6:]) for row in rows]


def _named(process: Process) -> dict[str, Any]:
    return {
        "role": process.role,
        "instance": process.instance,
        "host": process.host,
        "pid": process.pid,
        "version": process.version,
        "started_at": process.started_at,
    }
