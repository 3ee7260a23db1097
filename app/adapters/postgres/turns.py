"""One transaction after the other where two would step over a limit: by a row that only our roles can lock.

An advisory lock could be taken by all who can log in: a user with SQL access could keep all others from saving.
"""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres.acting import acting_as_api

_TAKE: Final = text("SELECT headrace_take_turn(CAST(:name AS text))")


async def take_turn(connection: AsyncConnection, name: str) -> None:
    """Wait until no other transaction has the turn of this name, and have it until this one, a caller's, ends."""
    async with acting_as_api(connection):
        await connection.execute(_TAKE, {"name": name})
