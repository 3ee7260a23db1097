"""Postgres's time of day, as a worker's pool reads it."""

from datetime import datetime
from typing import Final

from app.adapters.postgres.listening import unreachable
from app.adapters.postgres.pool import Pool

_NOW: Final = "SELECT clock_timestamp()"


class PostgresTime:
    """Implements ``app.ports.shared_time.SharedTime``.

    Args:
        pool: The process's pool.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def now(self) -> datetime:
        """Ask; see :class:`app.ports.shared_time.SharedTime`."""
        with unreachable("the time of day"):
            async with self._pool.connection() as connection:
                ((now,),) = await (await connection.execute(_NOW)).fetchall()
        assert isinstance(now, datetime)
        return now
