"""When what waits goes on: by its own time, and by its circuit's, which may have been pushed on since it was set."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import text

from app.adapters.postgres.api_engine import ApiDatabase

_HALF_OPEN: Final = text("""
SELECT destination, until FROM breakers WHERE destination = ANY(CAST(:circuits AS text[])) AND NOT closed
""")


async def half_open_times(database: ApiDatabase, circuits: Collection[str | None]) -> Mapping[str | None, datetime]:
    """Return when circuits that are not closed are half open; they are nobody's, and read in the API's own role."""
    named = sorted({circuit for circuit in circuits if circuit is not None})
    if not named:
        return {}
    async with database.serving() as connection:
        return {row[0]: row[1] for row in await connection.execute(_HALF_OPEN, {"circuits": named})}


def goes_on(due: datetime, half_open: datetime | None, now: datetime) -> datetime | None:
    """Return when what waits goes on: the later of both times; None where that is over, and it goes on in its turn."""
    at = due if half_open is None else max(due, half_open)
    return at if at > now else None
