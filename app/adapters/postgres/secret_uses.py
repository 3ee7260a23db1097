"""Where executors note which workflows use which secrets: on the audit trail, by a function that adds and no more."""

from collections.abc import Sequence
from typing import Final

from app.adapters.postgres.pool import Pool, persistently
from app.ports import SecretUse

_ADD: Final = "SELECT headrace_note_secret_uses(%s, %s, %s)"


class PostgresSecretUses:
    """Implements ``app.ports.SecretUseStore``.

    Args:
        pool: An executor's pool.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, uses: Sequence[SecretUse]) -> None:
        """Note uses, once an hour each; waits an outage out.

        Raises:
            UnreachableError: Postgres stayed away for too long.
        """
        columns = (
            [one.secret for one in uses],
            [one.use.workflow for one in uses],
            [one.use.owner for one in uses],
        )

        async def run() -> None:
            async with self._pool.connection() as connection:
                await connection.execute(_ADD, columns)

        await persistently(run)
