"""Hears of every change of a workflow template, whoever makes it: the table's trigger notifies (migration 0058)."""

from typing import Final

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.listening import listening_session, unreachable
from app.ports.templates import KeptLists

CHANNEL: Final = "headrace_templates"
_NAME: Final = "headrace templates"
_ASK_EVERY_S: Final = 15.0


class TemplateChanges:
    """Tells a process's lists.

    Args:
        database_url: Any libpq connection string, of the API's login.
        lists: What is kept, and to be forgotten.
    """

    def __init__(self, database_url: str, lists: KeptLists) -> None:
        self._database_url = database_url
        self._lists = lists

    async def run(self) -> None:
        """Listen for as long as the connection holds; the lists are trusted meanwhile, and not a moment longer.

        Raises:
            UnreachableError: Postgres does not answer, or no longer.
        """
        try:
            async with listening_session(self._database_url, DatabaseRole.API, _NAME, CHANNEL) as connection:
                self._lists.trust()
                with unreachable(_NAME):
                    while True:
                        async for _ in connection.notifies(timeout=_ASK_EVERY_S):
                            self._lists.forget()
                        # A connection whose other end is gone says nothing either.
                        await connection.execute("SELECT 1")
        finally:
            self._lists.distrust()
