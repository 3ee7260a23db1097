"""How the API puts records into the outbox; apart from the workers' way, which needs no SQLAlchemy."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres.outbox_rows import into_outbox, write_headers
from app.ports import Record

_PUT: Final = text(into_outbox("VALUES (:topic, :key, :value, CAST(:headers AS jsonb))", headers=True))


async def put(connection: AsyncConnection, records: Sequence[Record]) -> None:
    """Put records into the outbox, in order, their headers byte by byte."""
    if records:
        await connection.execute(_PUT, [_row(record) for record in records])


def _row(record: Record) -> dict[str, Any]:
    headers = orjson.dumps(write_headers(record.headers)).decode()
    return {"topic": record.topic, "key": record.key, "value": record.value, "headers": headers}
