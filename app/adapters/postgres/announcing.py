"""Events into the outbox, in the transaction of what they tell of."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
import psycopg

from app.ports import Record

_ANNOUNCE: Final = """
    INSERT INTO outbox (topic, key, value, headers)
    SELECT topic, key, value, %s::jsonb
    FROM unnest(%s::text[], %s::bytea[], %s::bytea[]) WITH ORDINALITY AS wanted (topic, key, value, position)
    ORDER BY position
"""


async def announce(connection: psycopg.AsyncConnection[Any], records: Sequence[Record]) -> None:
    """Put records into the outbox, in order; all have the same headers, as events have.

    Raises:
        psycopg.Error: None is in it, once the caller's transaction is rolled back.
    """
    if not records:
        return
    headers = orjson.dumps([(name, value.decode()) for name, value in records[0].headers]).decode()
    columns = [r.topic for r in records], [r.key for r in records], [r.value for r in records]
    await connection.execute(_ANNOUNCE, (headers, *columns))
