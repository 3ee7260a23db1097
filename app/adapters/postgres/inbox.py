"""Users' notifications in Postgres, as executors put them in."""

import asyncio
from typing import Final

import psycopg

from app.adapters.postgres.crm_reads import Connect
from app.adapters.postgres.pool import is_transient
from app.domain.errors import ActionFailedError
from app.ports import Notice

_PUT: Final = """
INSERT INTO notifications (id, user_id, title, body, workflow_id, execution_id) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO NOTHING
"""


class PostgresInbox:
    """Implements ``app.ports.Inbox``.

    Args:
        connect: Lends a connection.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    async def put(self, notice: Notice, *, within: float) -> None:
        """Put one in, once.

        Raises:
            ActionFailedError: Postgres does not answer in time.
        """
        row = (notice.id, notice.user, notice.title, notice.body, notice.workflow_id, notice.execution_id)
        try:
            async with asyncio.timeout(within), self._connect() as connection:
                await connection.execute(_PUT, row)
        except TimeoutError:
            raise ActionFailedError(f"inbox: Postgres did not answer within {within:g} s") from None
        except psycopg.Error as error:
            if not is_transient(error):
                raise
            raise ActionFailedError(f"inbox: Postgres does not answer ({type(error).__name__})") from error
