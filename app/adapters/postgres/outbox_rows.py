"""How records get into the outbox: rows written beside the change that they announce."""

import base64
from collections.abc import Sequence
from typing import Any, Final

import orjson
import psycopg

from app.adapters.postgres import literals
from app.ports import Headers, Record

_INSERT: Final = "{before}INSERT INTO outbox (topic, key, value{headers}) {rows}"


def into_outbox(rows: str, *, before: str = "", headers: bool = False) -> str:
    """Return the statement that puts rows into the outbox.

    Args:
        rows: What gives them: topic, key, value.
        before: What the statement begins with, such as a common table.
        headers: Whether the rows have headers too; a role that writes none, as the matcher, has no right to.
    """
    return _INSERT.format(before=before, headers=", headers" if headers else "", rows=rows)


_ANNOUNCE: Final = into_outbox(
    """
    SELECT topic, key, value, %s::jsonb
    FROM unnest(%s::text[], %s::bytea[], %s::bytea[]) WITH ORDINALITY AS wanted (topic, key, value, position)
    ORDER BY position
""",
    headers=True,
)


async def announce(connection: psycopg.AsyncConnection[Any], records: Sequence[Record]) -> None:
    """Put events into the outbox, in order, in one statement; all have the same headers, which are text.

    Raises:
        psycopg.Error: None is in it, once the caller's transaction is rolled back.
    """
    if not records:
        return
    headers = orjson.dumps([(name, value.decode()) for name, value in records[0].headers]).decode()
    columns = (
        literals.texts(record.topic for record in records),
        literals.byte_strings(record.key for record in records),
        literals.byte_strings(record.value for record in records),
    )
    await connection.execute(_ANNOUNCE, (headers, *columns))


def write_headers(headers: Headers) -> list[Any]:
    """Return headers as the column holds them, with any bytes in them; the relay reads them back."""
    return [[name, {"base64": base64.b64encode(value).decode("ascii")}] for name, value in headers]
