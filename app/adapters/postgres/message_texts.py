"""Message templates in Postgres, as the steps that use them read them."""

from typing import Any, Final
from uuid import UUID

from app.adapters.postgres.crm_reads import Connect
from app.adapters.postgres.pool import persistently
from app.ports import MessageText
from schemas.message_template import MessageKind

_FIND: Final = "SELECT subject, text, html FROM message_templates WHERE created_by = %s AND kind = %s AND name = %s"


class PostgresTexts:
    """Implements ``app.ports.MessageTexts``.

    Args:
        connect: Lends a connection.
        patient: Wait outages of Postgres out, as workers do.
    """

    def __init__(self, connect: Connect, *, patient: bool) -> None:
        self._connect = connect
        self._patient = patient

    async def find(self, owner: UUID, kind: MessageKind, name: str) -> MessageText | None:
        """Return the owner's template of that kind and name.

        Raises:
            UnreachableError: Postgres stayed away for too long.
        """

        async def once() -> tuple[Any, ...] | None:
            async with self._connect() as connection:
                return await (await connection.execute(_FIND, (owner, kind, name))).fetchone()

        row = await persistently(once) if self._patient else await once()
        return None if row is None else MessageText(*row)
