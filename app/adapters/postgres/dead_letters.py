"""The table of dead letters, as the sink fills it from their topic."""

from collections.abc import Sequence

from app.adapters.postgres import execution_log_sql as sql
from app.adapters.postgres import literals
from app.adapters.postgres.bisect import bisect
from app.adapters.postgres.pool import Pool, persistently
from app.ports.execution_log import Refused, Repeated


class DeadLetterTable:
    """Implements :class:`app.ports.execution_log.DeadLetterStore`; outages of Postgres are waited out.

    Args:
        pool: The process's pool.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def store(self, documents: Sequence[str]) -> list[Refused | Repeated | None]:
        """Store dead letters; see :meth:`app.ports.execution_log.DeadLetterStore.store`."""
        outcomes: list[Refused | Repeated | None] = [None] * len(documents)

        def refuse(index: int, why: Refused) -> None:
            outcomes[index] = why

        async def store(indexes: Sequence[int]) -> None:
            for repeated in await self._store([documents[index] for index in indexes]):
                outcomes[indexes[repeated]] = Repeated()

        if documents:
            await bisect(range(len(documents)), store, refuse)
        return outcomes

    async def _store(self, documents: Sequence[str]) -> list[int]:
        """Store them in one statement; returns the positions of those that were there."""
        literal = literals.json_documents(documents)

        async def run() -> list[int]:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(sql.STORE_DEAD_LETTERS, (literal,))
                return [row[0] - 1 for row in await cursor.fetchall()]

        return await persistently(run)
