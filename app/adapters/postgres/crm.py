"""The reference CRM: tags and notes in our own Postgres, in the schema ``crm``."""

from collections.abc import Sequence
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import tuple_row

from app.ports import NoteRequest, TagRequest

# Sorted, so that two batches which meet on several tags cannot wait for each other in a circle.
_APPLY_TAGS: Final = """
    INSERT INTO crm.tags (customer_id, tag)
    SELECT DISTINCT customer_id, tag FROM unnest(%s::text[], %s::text[]) AS wanted (customer_id, tag)
    ORDER BY customer_id, tag
    ON CONFLICT (customer_id, tag) DO NOTHING
    RETURNING customer_id, tag
"""
_CREATE_NOTES: Final = """
    INSERT INTO crm.notes (note_id, customer_id, text)
    SELECT note_id, customer_id, text
    FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS wanted (note_id, customer_id, text)
    ORDER BY note_id
    ON CONFLICT (note_id) DO NOTHING
"""


class PostgresCrm:
    """Tags and notes over one connection, in the caller's transaction; implements ``app.ports.Crm``."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection

    async def apply_tags(self, requests: Sequence[TagRequest]) -> list[bool]:
        """Apply tags in one statement; True for the first request of each tag that the customer did not have.

        Raises:
            psycopg.Error: None of them were applied, once the caller's transaction is rolled back.
        """
        cursor = self._connection.cursor(row_factory=tuple_row)
        await cursor.execute(_APPLY_TAGS, ([r.customer_id for r in requests], [r.tag for r in requests]))
        new = set(await cursor.fetchall())
        applied = []
        for request in requests:
            pair = (request.customer_id, request.tag)
            applied.append(pair in new)
            new.discard(pair)
        return applied

    async def create_notes(self, requests: Sequence[NoteRequest]) -> None:
        """Write notes in one statement; a ``note_id`` that is there already is left as it is.

        Raises:
            psycopg.Error: None of them were written, once the caller's transaction is rolled back.
        """
        await self._connection.execute(
            _CREATE_NOTES,
            ([r.note_id for r in requests], [r.customer_id for r in requests], [r.text for r in requests]),
        )
