"""The table of dead letters, as the sink fills it from their topic."""

from collections.abc import Sequence

from app.adapters.postgres import execution_log_sql as sql
from app.adapters.postgres import literals
from app.adapters.postgres.bisect import bisect
from app.adapters.postgres.pool import Pool, persistently
from app.services.log_writer import Refused


class DeadLetterTable:
    """Implements :class:`app.services.log_writer.DeadLetterStore`; outages of Postgres are waited out.

    Args:
        pool: The process's pool.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def store(self, documents: Sequence[str]) -> list[Refused | None]:
        """Store dead letters; see :meth:`app.services.log_writer.DeadLetterStore.store`."""
        refused: dict[int, Refused] = {}

        def refuse(index: int, why: Refused) -> None:
            refused[index] = why

        async def store(indexes: Sequence[int]) -> None:
            await self._store([documents[index] for index in indexes])

        if documents:
            await bisect(range(len(documents)), store, refuse)
        return [refused.get(index) for index in range(len(documents))]

    async def _store(self, documents: Sequence[str]) -> None:
        literal = literals.json_documents(documents)

        async def run() -> None:
            async with self._pool.connection() as connection:
                await connection.execute(sql.STORE_DEAD_LETTERS, (literal,))

        await persistently(run)
