"""Which of the things that a workflow names are not there, as its writer may see it."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.services.references import Reference

_MISSING: Final = text("""
SELECT position FROM unnest(CAST(:kinds AS text[]), CAST(:names AS text[])) WITH ORDINALITY AS w (kind, name, position)
WHERE NOT EXISTS (SELECT FROM message_templates t WHERE t.created_by = :owner AND t.kind = w.kind AND t.name = w.name)
  AND NOT EXISTS (SELECT FROM notification_channels c WHERE w.kind = 'channel' AND c.name = w.name)
ORDER BY position
""")


async def missing(connection: AsyncConnection, owner: UUID, named: Sequence[Reference]) -> list[Reference]:
    """Return those that are not there, in their order."""
    values = {"owner": owner, "kinds": [one.kind for one in named], "names": [one.name for one in named]}
    return [named[position - 1] for position in (await connection.execute(_MISSING, values)).scalars()]
