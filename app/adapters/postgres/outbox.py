"""The outbox in Postgres: rows written beside the change they announce, held by one relay at a time.

The hold is a session-level advisory lock, so it ends with the connection: Postgres itself hands it to the next relay
when the holder dies. Everything the relay does goes over the connection that holds the lock; without it, it can do
nothing. (A pooler that shares sessions between clients, such as PgBouncer in transaction mode, breaks this: point
DATABASE_URL past it.)
"""

import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg

from app.adapters.postgres.listening import listening_session, notified, unreachable
from app.ports import Headers, Record
from app.services.relay import OutboxRow, OutboxSession

CHANNEL: Final = "headrace_outbox"
RELAY_LOCK: Final = 0x6F7574626F78  # "outbox": any number that nobody else locks

_PENDING: Final = """
    SELECT id, topic, key, value, headers, created_at FROM outbox WHERE id <> ALL(%s::bigint[]) ORDER BY id LIMIT %s
"""


class PostgresOutbox:
    """See :class:`app.services.relay.Outbox`.

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
        async with listening_session(self._database_url, self._name, CHANNEL, lock=RELAY_LOCK) as connection:
            yield _Session(connection)


class _Session:
    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection

    async def pending(self, limit: int, skipped: Sequence[int]) -> Sequence[OutboxRow]:
        with unreachable("the outbox"):
            async with self._connection.cursor(binary=True) as cursor:
                await cursor.execute(_PENDING, (list(skipped), limit))
                rows = await cursor.fetchall()
        return [
            OutboxRow(row_id, Record(topic, key, value, read_headers(headers)), created_at)
            for row_id, topic, key, value, headers, created_at in rows
        ]

    async def delete(self, ids: Sequence[int]) -> None:
        with unreachable("the outbox"):
            await self._connection.execute("DELETE FROM outbox WHERE id = ANY(%s::bigint[])", (list(ids),))

    async def wait(self, within: float) -> None:
        with unreachable("the outbox"):
            await notified(self._connection, within)


def read_headers(stored: Any) -> Headers:
    """Read headers as the column holds them: pairs of name and text, or of name and ``{"base64": ...}``, in order."""
    return [(name, _header_bytes(value)) for name, value in stored or ()]


def write_headers(headers: Headers) -> list[Any]:
    """Return headers as the column holds them, whatever bytes they are; ``read_headers`` reads them back."""
    return [[name, {"base64": base64.b64encode(value).decode("ascii")}] for name, value in headers]


def _header_bytes(stored: Any) -> bytes:
    if isinstance(stored, dict):
        return base64.b64decode(stored["base64"])
    return bytes(stored.encode("utf-8"))
