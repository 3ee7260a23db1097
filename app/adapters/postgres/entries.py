"""Entries in Postgres: one statement a batch; who enters is decided under the row's lock (``headrace_enter``)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.adapters.postgres import literals
from app.adapters.postgres.pool import Pool, persistently
from app.ports import Entry

_ENTER: Final = """
SELECT headrace_enter(%s::uuid[], %s::text[], %s::uuid[], %s::timestamptz[], %s::interval[], %s::text[])
"""


class PostgresEntries:
    """Implements ``app.ports.Entries``. Outages of Postgres are waited out inside.

    Args:
        pool: The process's pool.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def enter(self, asking: Sequence[Entry]) -> Sequence[datetime | None]:
        """Let executions in; asked again after a lost answer it says the same."""
        if not asking:
            return []
        params = (
            literals.uuids(entry.workflow_id for entry in asking),
            literals.texts(entry.entity for entry in asking),
            literals.uuids(entry.execution_id for entry in asking),
            literals.timestamps(entry.at for entry in asking),
            [entry.window for entry in asking],
            literals.texts(entry.key for entry in asking),
        )

        async def run() -> Sequence[datetime | None]:
            async with self._pool.connection() as connection:
                row = await (await connection.execute(_ENTER, params)).fetchone()
            return row[0] if row else []

        return await persistently(run)
