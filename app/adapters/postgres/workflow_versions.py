"""What Postgres holds of workflows, for comparing the matchers' tables with it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

import psycopg

from app.adapters.postgres.bisect import is_refusal
from app.adapters.postgres.outbox_rows import into_outbox
from app.adapters.postgres.pool import Pool
from app.domain.errors import UnreachableError
from app.topics import WORKFLOWS

_VERSIONS: Final = "SELECT id, version FROM automations WHERE tombstoned_at IS NULL"
# Sorted and one statement; the newest revision is the row's own, even if one is being written meanwhile.
# Whose it is comes from the row, for revisions of before the database wrote them.
_SEND_AGAIN: Final = into_outbox("""
    SELECT %s, convert_to(a.id::text, 'UTF8'), convert_to((r.body - 'description'
      || jsonb_build_object('id', a.id, 'version', a.version, 'owner', a.created_by))::text, 'UTF8')
    FROM automations a JOIN automation_revisions r ON r.automation_id = a.id AND r.version = a.version
    WHERE a.id = ANY(%s::uuid[]) AND a.tombstoned_at IS NULL
    ORDER BY a.id
""")


class PostgresVersions:
    """See :class:`app.ports.workflows.StoredVersions`.

    Args:
        pool: The process's pool.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def versions(self) -> Mapping[UUID, int]:
        """Read the newest version of each workflow."""
        async with self._transaction() as connection:
            cursor = await connection.execute(_VERSIONS)
            return dict(await cursor.fetchall())

    async def send_again(self, workflow_ids: Sequence[UUID]) -> None:
        """Put newest revisions in the outbox again."""
        async with self._transaction() as connection:
            await connection.execute(_SEND_AGAIN, (WORKFLOWS, list(workflow_ids)))

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        try:
            async with self._pool.connection() as connection, connection.transaction():
                yield connection
        except psycopg.Error as error:
            if is_refusal(error):
                raise
            raise UnreachableError(f"Postgres does not serve ({type(error).__name__})") from error
