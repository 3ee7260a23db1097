"""The outbox in Postgres: rows written beside the change they announce, held by one relay at a time.

Its holder has the relay's duty (:mod:`app.adapters.postgres.leading`): Postgres itself hands it to the next relay
when the holder dies. What the relay reads counts only if it leads still; without that, it sends nothing. (A pooler that
shares sessions between clients, such as PgBouncer in transaction mode, breaks listening: point DATABASE_URL past it.)
"""

import base64
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, LiteralString

import psycopg

from app.adapters.postgres.leading import Duty, Leadership, leading_session
from app.adapters.postgres.listening import notified, unreachable
from app.metrics.scheduler import OUTBOX_REFUSED
from app.ports import Headers, Record, Refusal
from app.ports.outbox import Bounds, OutboxRow, OutboxSession

logger = logging.getLogger(__name__)

CHANNEL: Final = "headrace_outbox"

# What is read is bounded in bytes too: sizes are known without reading what is stored out of line.
_BOUNDED: Final[LiteralString] = """
SELECT id, topic, key, value, headers, created_at FROM (
  SELECT *, sum(size) OVER (ORDER BY place) - size AS before FROM (
    SELECT *, row_number() OVER () AS place FROM (
      SELECT id, topic, key, value, headers, created_at,
        coalesce(octet_length(key), 0) + coalesce(octet_length(value), 0) + pg_column_size(headers) AS size
      FROM outbox {which} LIMIT %s) AS found) AS placed) AS counted
WHERE before < %s ORDER BY place
"""
_PENDING: Final = _BOUNDED.format(which="WHERE set_aside IS NULL ORDER BY id")
_WAITING_FOR: Final = _BOUNDED.format(which="WHERE topic = %s AND set_aside = 'no_topic' ORDER BY id")
_REFUSED: Final = _BOUNDED.format(which="WHERE set_aside <> 'no_topic' ORDER BY set_aside_at, id")
_TOPICS_SET_ASIDE: Final = """
SELECT topic, set_aside, count(*) FROM outbox WHERE set_aside IS NOT NULL GROUP BY topic, set_aside
"""
_SET_ASIDE: Final = """
UPDATE outbox SET set_aside = (%(reasons)s::text[])[array_position(%(ids)s::bigint[], id)],
  error = (%(errors)s::text[])[array_position(%(ids)s::bigint[], id)], set_aside_at = now()
WHERE id = ANY(%(ids)s::bigint[])
"""
_DELETE: Final = "DELETE FROM outbox WHERE id = ANY(%s::bigint[])"


class PostgresOutbox:
    """See :class:`app.ports.outbox.Outbox`.

    Args:
        database_url: Any libpq connection string.
        name: What Postgres shows as ``application_name``.
    """

    def __init__(self, database_url: str, *, name: str = "headrace relay") -> None:
        self._database_url = database_url
        self._name = name

    @asynccontextmanager
    async def lead(self) -> AsyncIterator[OutboxSession]:
        """Wait for the lock on a connection of its own, and listen."""
        async with leading_session(self._database_url, Duty.RELAY, self._name, CHANNEL) as (connection, lead):
            yield _Session(connection, lead)


class _Session:
    def __init__(self, connection: psycopg.AsyncConnection[Any], lead: Leadership) -> None:
        self._connection = connection
        self._lead = lead

    async def pending(self, bounds: Bounds) -> Sequence[OutboxRow]:
        return await self._read(_PENDING, (bounds.rows, bounds.size))

    async def waiting_for(self, topic: str, bounds: Bounds) -> Sequence[OutboxRow]:
        return await self._read(_WAITING_FOR, (topic, bounds.rows, bounds.size))

    async def refused(self, bounds: Bounds) -> Sequence[OutboxRow]:
        return await self._read(_REFUSED, (bounds.rows, bounds.size))

    async def _read(self, query: LiteralString, params: Sequence[Any]) -> Sequence[OutboxRow]:
        with unreachable("the outbox"):
            async with self._connection.cursor(binary=True) as cursor:
                await cursor.execute(query, params)
                rows = await cursor.fetchall()
        await self._lead.confirm()
        read: list[OutboxRow] = []
        broken: dict[int, Refusal] = {}
        for row_id, topic, key, value, headers, created_at in rows:
            try:
                read.append(OutboxRow(row_id, Record(topic, key, value, read_headers(headers)), created_at))
            except (ValueError, TypeError) as error:
                broken[row_id] = Refusal("refused", f"headers: {error}"[:500])
        if broken:
            logger.error(
                "headers of the outbox cannot be read, their records are set aside", extra={"outbox_ids": [*broken]}
            )
            OUTBOX_REFUSED.inc(len(broken))
            await self.set_aside(broken)
        return read

    async def set_aside(self, refusals: Mapping[int, Refusal]) -> None:
        columns = {
            "ids": list(refusals),
            "reasons": [refusal.reason for refusal in refusals.values()],
            "errors": [refusal.detail for refusal in refusals.values()],
        }
        with unreachable("the outbox"):
            await self._connection.execute(_SET_ASIDE, columns)

    async def topics_set_aside(self) -> Mapping[tuple[str, str], int]:
        with unreachable("the outbox"):
            rows = await (await self._connection.execute(_TOPICS_SET_ASIDE)).fetchall()
        return {(topic, reason): count for topic, reason, count in rows}

    async def delete(self, ids: Sequence[int]) -> None:
        with unreachable("the outbox"):
            await self._connection.execute(_DELETE, (list(ids),))

    async def wait(self, within: float) -> None:
        with unreachable("the outbox"):
            await notified(self._connection, within)


def read_headers(stored: Any) -> Headers:
    """Read headers as the column holds them: pairs of name and text, or of name and ``{"base64": ...}``, in order.

    Raises:
        TypeError: They are no such pairs.
        ValueError: They are no such pairs, or a text that is to be base64 is not.
    """
    read = [(name, _header_bytes(value)) for name, value in stored or ()]
    if not all(isinstance(name, str) for name, _ in read):
        raise TypeError("the name of a header is text")
    return read


def _header_bytes(stored: Any) -> bytes:
    encoded = stored.get("base64") if isinstance(stored, dict) else None
    if isinstance(encoded, str):
        return base64.b64decode(encoded, validate=True)
    if not isinstance(stored, str):
        raise TypeError('the content of a header is text or {"base64": ...}')
    return stored.encode("utf-8")
