"""What outlives a process that dies of a record, in Postgres: a row for each partition of a consumer group."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import uuid4

import psycopg

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.listening import unreachable
from app.adapters.postgres.receipts_sql import INCARNATE
from app.domain.errors import SupersededError, UnreachableError
from app.ports import Place, Suspicion

MAX_ERROR_CHARS: Final = 500
_WITHIN_S: Final = 5.0
_CONNECT: Final[dict[str, Any]] = {"connect_timeout": 5, "application_name": "headrace crashes", "autocommit": True}

# Who held it and has not let go died; not of a record, though, where Postgres itself has been started since.
_DIED: Final = "h.holder NOT IN ('', excluded.holder) AND h.held_at > pg_postmaster_start_time()"
_SAME: Final = "h.deaths > 0 AND excluded.frontier >= h.frontier AND excluded.frontier < h.watched_until"
_ALONE: Final = "h.alone_first IS NOT NULL AND excluded.frontier >= h.frontier AND excluded.frontier < h.alone_end"
# What is read within returning is the row as it was: where nobody is blamed anew it names the end of the trial before.
_HOLD: Final = f"""
INSERT INTO partition_holds AS h (consumer_group, topic, partition, frontier, holder)
SELECT %s, topic, partition, frontier, %s
FROM unnest(%s::text[], %s::int[], %s::bigint[]) AS t (topic, partition, frontier) ORDER BY topic, partition
ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET
  deaths = CASE WHEN {_DIED} THEN CASE WHEN {_SAME} THEN h.deaths + 1 ELSE 1 END
                WHEN {_SAME} THEN h.deaths ELSE 0 END,
  error = CASE WHEN {_DIED} OR {_SAME} THEN h.error ELSE '' END,
  blamed = CASE WHEN {_SAME} THEN h.blamed ELSE '{{}}' END
    || CASE WHEN {_DIED} THEN ARRAY[h.holder] ELSE '{{}}' END,
  alone_first = CASE WHEN {_ALONE} THEN h.alone_first END,
  alone_end = CASE WHEN {_ALONE} THEN h.alone_end END,
  alone_deaths = CASE WHEN {_ALONE} THEN h.alone_deaths + CASE WHEN {_DIED} THEN 1 ELSE 0 END ELSE 0 END,
  frontier = excluded.frontier, holder = excluded.holder, held_at = now()
RETURNING topic, partition, frontier, deaths, alone_first, alone_end, alone_deaths, error,
  (SELECT o.watched_until FROM partition_holds o WHERE (o.consumer_group, o.topic, o.partition, o.deaths, o.blamed)
    = (h.consumer_group, h.topic, h.partition, h.deaths, h.blamed))
"""  # noqa: S608 - constants only
_WATCH: Final = """
UPDATE partition_holds h SET watched_until = t.until
FROM unnest(%s::text[], %s::int[], %s::bigint[]) AS t (topic, partition, until)
WHERE h.consumer_group = %s AND h.holder = %s AND (h.topic, h.partition) = (t.topic, t.partition)
"""
_MARK: Final = """
UPDATE partition_holds SET error = CASE WHEN (alone_first, alone_end) = (%(first)s, %(end)s) THEN error ELSE '' END,
  alone_deaths = CASE WHEN (alone_first, alone_end) = (%(first)s, %(end)s) THEN alone_deaths ELSE 0 END,
  alone_first = %(first)s, alone_end = %(end)s
WHERE consumer_group = %(group)s AND holder = %(holder)s AND topic = %(topic)s AND partition = %(partition)s
"""
_CLEAR: Final = """
UPDATE partition_holds SET deaths = 0, alone_first = NULL, alone_end = NULL, alone_deaths = 0, error = ''
WHERE consumer_group = %s AND holder = %s AND topic = %s AND partition = %s
"""
_TAKE_BACK: Final = """
UPDATE partition_holds SET blamed = array_remove(blamed, %(holder)s), deaths = greatest(0, deaths - 1),
  alone_deaths = greatest(0, alone_deaths - 1)
WHERE consumer_group = %(group)s AND %(holder)s = ANY(blamed)
"""
_NEWEST: Final = "SELECT incarnation = %s FROM instances WHERE instance = %s"
_LET_GO: Final = "UPDATE partition_holds SET holder = '' WHERE consumer_group = %s AND holder = %s"
_SAY: Final = "UPDATE partition_holds SET error = %s WHERE consumer_group = %s AND holder = %s"


class PostgresCrashes:
    """Implements ``app.ports.Crashes``, over a connection for each call: in the good case there are a few in a life.

    Args:
        database_url: Any libpq connection string.
        role: The process's database role.
        group: The consumer group.
        instance: The worker's, for people; this process's name is made of it.
    """

    def __init__(self, database_url: str, role: DatabaseRole, *, group: str, instance: str) -> None:
        self._database_url = database_url
        self._act = f"SET ROLE {role}".encode()
        self._group = group
        self._holder = f"{instance}/{uuid4().hex}"
        # Not the name under which executors claim: readers and claimers are told apart, and checked, separately.
        self._instance = f"reader {group}/{instance}"
        self._incarnation: int | None = None

    async def hold(self, frontiers: Mapping[Place, int]) -> Sequence[Suspicion]:
        """Take hold of partitions; see :class:`app.ports.Crashes`."""
        async with self._connection() as connection:
            if self._incarnation is None:
                rows = await _fetch(connection, INCARNATE, (self._instance,))
                self._incarnation = rows[0][0] if rows else None
                newest = bool(rows)
            else:
                await _fetch(connection, _TAKE_BACK, {"group": self._group, "holder": self._holder})
                rows = await _fetch(connection, _NEWEST, (self._incarnation, self._instance))
                newest = bool(rows) and rows[0][0]
            if not newest:
                raise SupersededError(f"a newer process of {self._instance} runs; give each its own HEADRACE_INSTANCE")
            rows = await _fetch(connection, _HOLD, (self._group, self._holder, *_columns(frontiers)))
        return [
            Suspicion((row[0], row[1]), row[2], row[3], None if row[4] is None else (row[4], row[5]), *row[6:])
            for row in rows
            if row[3]
        ]

    async def watch(self, ends: Mapping[Place, int]) -> None:
        """Name the ends; see :class:`app.ports.Crashes`."""
        await self._run(_WATCH, (*_columns(ends), self._group, self._holder))

    async def mark(self, place: Place, first: int, end: int) -> None:
        """Mark records as alone; see :class:`app.ports.Crashes`."""
        where = {"group": self._group, "holder": self._holder, "topic": place[0], "partition": place[1]}
        await self._run(_MARK, {"first": first, "end": end, **where})

    async def clear(self, place: Place) -> None:
        """Forget deaths; see :class:`app.ports.Crashes`."""
        await self._run(_CLEAR, (self._group, self._holder, *place))

    async def let_go(self, error: str | None = None) -> None:
        """End the hold, or say of what this process dies; see :class:`app.ports.Crashes`."""
        if error is None:
            await self._run(_TAKE_BACK, {"group": self._group, "holder": self._holder})
            await self._run(_LET_GO, (self._group, self._holder))
        else:
            await self._run(_SAY, (error[:MAX_ERROR_CHARS], self._group, self._holder))

    async def _run(self, statement: str, params: Any) -> list[tuple[Any, ...]]:
        async with self._connection() as connection:
            return await _fetch(connection, statement, params)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        try:
            async with asyncio.timeout(_WITHIN_S):
                with unreachable("what crashes are known by"):
                    connection = await psycopg.AsyncConnection.connect(self._database_url, **_CONNECT)
                    async with connection:
                        await connection.execute(self._act)
                        yield connection
        except TimeoutError:
            raise UnreachableError(f"Postgres did not answer within {_WITHIN_S:g} s") from None


async def _fetch(connection: psycopg.AsyncConnection[Any], statement: str, params: Any) -> list[tuple[Any, ...]]:
    cursor = await connection.execute(statement.encode(), params)
    return await cursor.fetchall() if cursor.description else []


def _columns(numbers: Mapping[Place, int]) -> tuple[list[str], list[int], list[int]]:
    return [topic for topic, _ in numbers], [partition for _, partition in numbers], list(numbers.values())
