"""One transaction of the API after the other where two would step over a limit: by a row that only the API can lock.

An advisory lock would be anybody's who can log in: a user with SQL access could keep everybody from saving.
"""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres.acting import acting_as_api

_TAKE: Final = text("INSERT INTO turns (name) VALUES (:name) ON CONFLICT (name) DO UPDATE SET name = excluded.name")


async def take_turn(connection: AsyncConnection, name: str) -> None:
    """Wait until no other transaction has the turn of this name, and have it until this one, a caller's, ends."""
    async with acting_as_api(connection):
        await connection.execute(_TAKE, {"name": name})
