"""Which of the things that a workflow names are not there, as its writer may see it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres.acting import acting_as_api
from app.domain.grants import ALL, Use
from app.domain.hosts import may_go_to
from app.ports.workflows import Reference

_MISSING: Final = text("""
SELECT position, w.kind = 'secret' AND NOT EXISTS (SELECT FROM secrets s WHERE s.name = w.name) AS absent
FROM unnest(CAST(:kinds AS text[]), CAST(:names AS text[])) WITH ORDINALITY AS w (kind, name, position)
WHERE CASE w.kind
  WHEN 'secret' THEN NOT coalesce((
    SELECT s.owners && CAST(:owners AS text[]) AND s.workflows && CAST(:workflows AS text[])
    FROM secrets s WHERE s.name = w.name), NOT CAST(:live AS boolean))
  WHEN 'channel' THEN NOT EXISTS (SELECT FROM notification_channels c WHERE c.name = w.name
    AND c.owners && CAST(:owners AS text[]) AND c.workflows && CAST(:workflows AS text[]))
  ELSE NOT EXISTS (SELECT FROM message_templates t
    WHERE t.created_by = :owner AND t.kind = w.kind AND t.name = w.name) END
ORDER BY position
""")
_HOSTS: Final = text("SELECT name, hosts FROM secrets WHERE name = ANY(:names)")


async def missing(connection: AsyncConnection, use: Use, named: Sequence[Reference], *, live: bool) -> list[Reference]:
    """Return those that are not there, or not for the workflow, in their order; if all are there, those astray.

    Looked up as the API itself: users see no secret. One that is not there may come yet, unless it is needed now.
    """
    values = {
        "live": live,
        "owner": use.owner,
        "owners": [ALL, str(use.owner)],
        "workflows": [ALL, str(use.workflow)],
        "kinds": [one.kind for one in named],
        "names": [one.name for one in named],
    }
    async with acting_as_api(connection):
        rows = (await connection.execute(_MISSING, values)).all()
        astray = await _astray(connection, named)
    return [replace(named[row.position - 1], absent=row.absent) for row in rows] or astray


async def _astray(connection: AsyncConnection, named: Sequence[Reference]) -> list[Reference]:
    """Return secrets that would be sent to a host that they are not for."""
    placed = [(one, one.place) for one in named if one.place is not None]
    if not placed:
        return []
    rows = await connection.execute(_HOSTS, {"names": sorted({one.name for one, _ in placed})})
    hosts = {row.name: row.hosts for row in rows}
    return [
        replace(one, astray=True)
        for one, place in placed
        if one.name in hosts and not may_go_to(place, hosts[one.name])
    ]
