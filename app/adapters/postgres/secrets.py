"""Secrets in Postgres: sealed by the time they get here. The API's role can write them and read no value."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, text

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.pool import Pool, persistently
from app.domain.callers import Caller
from app.ports import SecretEntry

# `excluded.value` would have to be read, which this role may not; the parameter need not be.
_PUT: Final = text("""
INSERT INTO secrets (name, value, updated_by) VALUES (:name, :value, :by)
ON CONFLICT (name) DO UPDATE SET value = :value, updated_by = excluded.updated_by, updated_at = now()
RETURNING name, updated_by, updated_at
""")
_ENTRIES: Final = text("SELECT name, updated_by, updated_at FROM secrets ORDER BY name")
_DELETE: Final = text("DELETE FROM secrets WHERE name = :name")
_READ: Final = "SELECT name, value FROM secrets WHERE name = ANY(%s)"


class PostgresSecretStore:
    """Implements ``app.ports.SecretStore``; that callers are administrators is row level security's to hold.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    async def put(self, caller: Caller, name: str, sealed: bytes) -> SecretEntry:
        """Store a value under a name."""
        async with self._database.writing(caller) as connection:
            values = {"name": name, "value": sealed, "by": caller.user_id}
            return _entry((await connection.execute(_PUT, values)).one())

    async def entries(self, caller: Caller) -> Sequence[SecretEntry]:
        """Return all, by name."""
        async with self._database.reading(caller) as connection:
            return [_entry(row) for row in await connection.execute(_ENTRIES)]

    async def delete(self, caller: Caller, name: str) -> bool:
        """Remove one; False where there was none."""
        async with self._database.reading(caller) as connection:
            return bool((await connection.execute(_DELETE, {"name": name})).rowcount)


class PostgresSealedSecrets:
    """Implements ``app.ports.SealedSecrets``.

    Args:
        pool: A worker's pool.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read(self, names: Collection[str]) -> Mapping[str, bytes]:
        """Return the sealed values of those that there are; waits an outage out.

        Raises:
            UnreachableError: Postgres stayed away for too long.
        """

        async def run() -> list[Any]:
            async with self._pool.connection() as connection:
                return await (await connection.execute(_READ, (list(names),))).fetchall()

        return {name: bytes(value) for name, value in await persistently(run)}


def _entry(row: Row[Any]) -> SecretEntry:
    return SecretEntry(row.name, row.updated_by, row.updated_at)
