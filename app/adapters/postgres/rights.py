"""What callers may, in Postgres: the table ``user_permissions``, which only the service role sees."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from app.adapters.postgres.crm_reads import Connect
from app.adapters.postgres.pool import persistently
from app.domain.callers import Caller, known_permissions

# What is noted already is not written again: a row that stays as it is costs no version of it.
_NOTE: Final = """
INSERT INTO user_permissions AS noted (user_id, role, permissions) VALUES (%s, %s, %s)
ON CONFLICT (user_id) DO UPDATE
SET role = excluded.role, permissions = excluded.permissions, noted_at = now()
WHERE (noted.role, noted.permissions) IS DISTINCT FROM (excluded.role, excluded.permissions)
"""
_READ: Final = "SELECT user_id, role, permissions FROM user_permissions WHERE user_id = ANY(%s)"


class PostgresCallers:
    """Implements ``app.ports.NotedCallers``.

    Args:
        connect: Lends a connection of the service role.
        patient: Wait outages of Postgres out, as workers do.
    """

    def __init__(self, connect: Connect, *, patient: bool) -> None:
        self._connect = connect
        self._patient = patient

    async def note(self, caller: Caller) -> None:
        """Keep what a caller's token says.

        Raises:
            UnreachableError: Postgres does not answer.
        """
        async with self._connect() as connection:
            await connection.execute(_NOTE, (caller.user_id, caller.role, sorted(caller.permissions)))

    async def read(self, users: Collection[UUID]) -> Mapping[UUID, Caller]:
        """Return those of the users that were noted.

        Raises:
            UnreachableError: Postgres stayed away for too long.
        """

        async def once() -> list[tuple[Any, ...]]:
            async with self._connect() as connection:
                return await (await connection.execute(_READ, (list(users),))).fetchall()

        rows = await persistently(once) if self._patient else await once()
        return {user: Caller(user, role, known_permissions(names)) for user, role, names in rows}
