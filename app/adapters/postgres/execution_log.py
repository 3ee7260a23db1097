"""The execution log in Postgres, as the sink writes it: one row an execution, a batch a round trip."""

from collections.abc import Sequence
from typing import Any

from psycopg import errors

from app.adapters.postgres import execution_log_sql as sql
from app.adapters.postgres import literals
from app.adapters.postgres.bisect import bisect
from app.adapters.postgres.pool import Pool, persistently
from app.ports.execution_log import Logged, LogOutcome, Refused, Skipped

_Document = tuple[int, str]


class ExecutionLog:
    """Implements :class:`app.ports.execution_log.LogWriter`; outages of Postgres are waited out.

    Args:
        pool: The process's pool.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def write(self, documents: Sequence[str]) -> list[LogOutcome]:
        """Write executions; see :meth:`app.ports.execution_log.LogWriter.write`."""
        outcomes: dict[int, LogOutcome] = {}

        async def write(batch: Sequence[_Document]) -> None:
            outcomes.update(await self._write(batch))

        def refuse(document: _Document, refused: Refused) -> None:
            outcomes[document[0]] = refused

        left = list(enumerate(documents))
        while left:
            await bisect(left, write, refuse)
            left = [document for document in left if document[0] not in outcomes]
        return [outcomes[index] for index in range(len(documents))]

    async def _write(self, batch: Sequence[_Document]) -> dict[int, LogOutcome]:
        """Write a batch; an execution that raced with another writer is left out, to be tried again."""
        rows = await self._rows(literals.json_documents(text for _, text in batch))
        found: dict[int, LogOutcome | None] = {batch[row[0] - 1][0]: _outcome(row[1:]) for row in rows}
        # Of an execution that is in the batch several times only the highest attempt was looked at.
        answers = {index: found.get(index, Skipped("duplicate")) for index, _ in batch}
        return {index: outcome for index, outcome in answers.items() if outcome is not None}

    async def _rows(self, documents: literals.JsonArray) -> list[tuple[Any, ...]]:
        try:
            return await self._run(sql.WRITE, documents)
        except errors.CheckViolation as error:
            if error.diag.constraint_name is not None:
                raise
        # No partition holds one of the rows: make those of all their days.
        await self._run(sql.MAKE_PARTITIONS, documents)
        return await self._run(sql.WRITE, documents)

    async def _run(self, statement: str, documents: literals.JsonArray) -> list[tuple[Any, ...]]:
        async def run() -> list[tuple[Any, ...]]:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(statement.encode(), (documents,), binary=True)
                return await cursor.fetchall()

        return await persistently(run)


def _outcome(row: tuple[Any, ...]) -> LogOutcome | None:
    status, executed_at, dropped, live, late, event_at = row
    if dropped == "again":
        return None
    if dropped is not None:
        return Skipped(dropped)
    return Logged(status, executed_at, late, event_at) if live or late else Skipped("duplicate")
