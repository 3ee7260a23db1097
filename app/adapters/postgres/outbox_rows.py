"""How records get into the outbox: rows written beside the change that they announce."""

import base64
from collections.abc import Sequence
from typing import Any, Final

import orjson
import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ports import Headers, Record

# Followed by what gives these columns. The matcher writes no headers, and may not.
INTO_OUTBOX: Final = "INSERT INTO outbox (topic, key, value)"
_WITH_HEADERS: Final = "INSERT INTO outbox (topic, key, value, headers) "
_PUT: Final = text(_WITH_HEADERS + "VALUES (:topic, :key, :value, CAST(:headers AS jsonb))")
_UNNEST: Final = """
    SELECT topic, key, value, %s::jsonb
    FROM unnest(%s::text[], %s::bytea[], %s::bytea[]) WITH ORDINALITY AS wanted (topic, key, value, position)
    ORDER BY position
"""
_ANNOUNCE: Final = _WITH_HEADERS + _UNNEST


async def put(connection: AsyncConnection, records: Sequence[Record]) -> None:
    """Put records into the outbox, in order, their headers byte by byte."""
    if records:
        await connection.execute(_PUT, [_row(record) for record in records])


async def announce(connection: psycopg.AsyncConnection[Any], records: Sequence[Record]) -> None:
    """Put events into the outbox, in order, in one statement; all have the same headers, which are text.

    Raises:
        psycopg.Error: None is in it, once the caller's transaction is rolled back.
    """
    if not records:
        return
    headers = orjson.dumps([(name, value.decode()) for name, value in records[0].headers]).decode()
    columns = [r.topic for r in records], [r.key for r in records], [r.value for r in records]
    await connection.execute(_ANNOUNCE, (headers, *columns))


def write_headers(headers: Headers) -> list[Any]:
    """Return headers as the column holds them, whatever bytes they are; the relay reads them back."""
    return [[name, {"base64": base64.b64encode(value).decode("ascii")}] for name, value in headers]


def _row(record: Record) -> dict[str, Any]:
    headers = orjson.dumps(write_headers(record.headers)).decode()
    return {"topic": record.topic, "key": record.key, "value": record.value, "headers": headers}
