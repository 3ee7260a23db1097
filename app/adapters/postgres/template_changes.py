"""Hears of every change of a workflow template, whoever makes it: the table's trigger notifies (migration 0058)."""

import logging
from typing import Final

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.listening import listening_session, unreachable
from app.ports.templates import KeptLists
from app.services.operations.outages import Outage, same_pauses, serve_for_ever

CHANNEL: Final = "headrace_templates"
_NAME: Final = "headrace templates"
_ASK_EVERY_S: Final = 15.0
_TRY_AGAIN_S: Final = 1.0
_LOG: Final = logging.getLogger(__name__)


class TemplateChanges:
    """Tells a process's lists.

    Args:
        database_url: Any libpq connection string, of the API's login.
        lists: What is kept, and to be forgotten.
    """

    def __init__(self, database_url: str, lists: KeptLists) -> None:
        self._database_url = database_url
        self._lists = lists
        self._outage = Outage(_NAME, _LOG)

    async def run(self) -> None:
        """Listen until cancelled; the lists are trusted while the connection holds, and not a moment longer."""
        await serve_for_ever(self._outage, self._listen, same_pauses(_TRY_AGAIN_S))

    async def _listen(self) -> None:
        try:
            async with listening_session(self._database_url, DatabaseRole.API, _NAME, CHANNEL) as connection:
                self._lists.trust()
                self._outage.served()
                with unreachable(_NAME):
                    while True:
                        async for _ in connection.notifies(timeout=_ASK_EVERY_S):
                            self._lists.forget()
                        # A connection whose other end is gone says nothing either.
                        await connection.execute("SELECT 1")
        finally:
            self._lists.distrust()
