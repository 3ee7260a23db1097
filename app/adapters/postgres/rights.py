"""What callers may, in Postgres: the table ``user_permissions``, which only the service role sees."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from app.adapters.postgres.crm_reads import Connect
from app.adapters.postgres.pool import persistently
from app.domain.callers import Caller, known_permissions

# What is noted already is not written again: a row that stays as it is costs no version of it. The API learns up to two
# seconds late what was taken from a user, whose row has the last word here: their workflows would keep what a call of
# just then had. It is locked, so that none is taken away between; one who was deleted is not noted again.
_NOTE: Final = """
WITH own AS MATERIALIZED (SELECT role, permissions FROM users WHERE id = %(user)s FOR SHARE)
INSERT INTO user_permissions AS noted (user_id, role, permissions)
SELECT %(user)s, CASE WHEN own.role = 'user' THEN 'user' ELSE said.role END,
  CASE WHEN own.role = 'user' THEN ARRAY(
    SELECT one FROM unnest(said.permissions) AS one WHERE one = ANY(own.permissions) ORDER BY one)
  ELSE said.permissions END
FROM (VALUES (%(role)s::text, %(permissions)s::text[])) AS said (role, permissions) LEFT JOIN own ON true
ON CONFLICT (user_id) DO UPDATE
SET role = excluded.role, permissions = excluded.permissions, gone_at = NULL, noted_at = now()
WHERE (noted.gone_at IS NULL OR EXISTS (SELECT FROM own))
  AND (noted.role, noted.permissions) IS DISTINCT FROM (excluded.role, excluded.permissions)
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
        """Keep what a caller's token says, as far as their row of ``users`` lets it.

        Raises:
            UnreachableError: Postgres does not answer.
        """
        async with self._connect() as connection:
            said = {"user": caller.user_id, "role": caller.role, "permissions": sorted(caller.permissions)}
            await connection.execute(_NOTE, said)

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
