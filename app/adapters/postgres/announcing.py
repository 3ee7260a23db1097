"""What changes to business data have in common: rows as they are shown, names taken, events announced."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import orjson
import psycopg
from sqlalchemy.exc import IntegrityError

from app.domain.errors import ConflictError
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


_TAKEN: Final = "23505"


@contextmanager
def named_once(said: str) -> Iterator[None]:
    """Say what a unique index has refused.

    Raises:
        ConflictError: With ``said``; the transaction is lost.
    """
    try:
        yield
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) == _TAKEN:
            raise ConflictError(said) from error
        raise


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its times in ISO 8601 (UTC), and money and ids as text: exact, whoever reads them."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, Decimal | UUID) else value
