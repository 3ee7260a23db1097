"""Secrets in Postgres: sealed by the time they get here. The API's role can write them and read no value."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, text

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.crm_reads import Connect
from app.adapters.postgres.pool import Pool, persistently
from app.domain.callers import Caller
from app.domain.grants import Grant
from app.ports import Sealed, SecretEntry

_SHOWN: Final = "name, updated_by, updated_at, owners, workflows, hosts"
_LOCK: Final = text("SELECT owners, workflows, hosts FROM secrets WHERE name = :name FOR UPDATE")
# `excluded.value` would have to be read, which this role may not; the parameter need not be.
_PUT: Final = text(f"""
INSERT INTO secrets (name, value, updated_by, owners, workflows, hosts)
VALUES (:name, :value, :by, :owners, :workflows, :hosts)
ON CONFLICT (name) DO UPDATE SET value = :value, updated_by = excluded.updated_by, updated_at = now(),
  owners = excluded.owners, workflows = excluded.workflows, hosts = excluded.hosts
RETURNING {_SHOWN}
""")  # noqa: S608 - a constant
_GRANT: Final = text(f"""
UPDATE secrets SET owners = :owners, workflows = :workflows, hosts = :hosts, updated_by = :by, updated_at = now()
WHERE name = :name RETURNING {_SHOWN}
""")  # noqa: S608 - a constant
_ENTRIES: Final = text(f"SELECT {_SHOWN} FROM secrets ORDER BY name")  # noqa: S608 - a constant
_DELETE: Final = text("DELETE FROM secrets WHERE name = :name")
_READ: Final = "SELECT name, value, owners, workflows, hosts FROM secrets WHERE name = ANY(%s)"
_GRANTS: Final = "SELECT name, owners, workflows, hosts FROM secrets WHERE name = ANY(%s)"


class PostgresSecretStore:
    """Implements ``app.ports.SecretStore``; that callers are administrators is row level security's to hold.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    async def put(
        self, caller: Caller, name: str, sealed: bytes | None, grant: Callable[[Grant | None], Grant]
    ) -> SecretEntry | None:
        """Store a value under a name, or its grant alone; None where there is no value to be kept."""
        async with self._database.writing(caller) as connection:
            known = (await connection.execute(_LOCK, {"name": name})).one_or_none()
            if known is None and sealed is None:
                return None
            made = grant(None if known is None else _grant(*known))
            values = {"name": name, "value": sealed, "by": caller.user_id, **_lists(made)}
            return _entry((await connection.execute(_GRANT if sealed is None else _PUT, values)).one())

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

    async def read(self, names: Collection[str]) -> Mapping[str, Sealed]:
        """Return those that there are; waits an outage out.

        Raises:
            UnreachableError: Postgres stayed away for too long.
        """

        async def run() -> list[Any]:
            async with self._pool.connection() as connection:
                return await (await connection.execute(_READ, (list(names),))).fetchall()

        return {name: Sealed(bytes(value), _grant(*lists)) for name, value, *lists in await persistently(run)}


class PostgresSecretGrants:
    """Implements ``app.ports.SecretGrants``.

    Args:
        connect: Lends a connection in the workers' role.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    async def of(self, names: Collection[str]) -> Mapping[str, Grant]:
        """Return the grants of those that there are."""
        async with self._connect() as connection:
            rows = await (await connection.execute(_GRANTS, (list(names),))).fetchall()
        return {name: _grant(*lists) for name, *lists in rows}


def _grant(owners: Sequence[str], workflows: Sequence[str], hosts: Sequence[str]) -> Grant:
    return Grant(tuple(owners), tuple(workflows), tuple(hosts))


def _lists(grant: Grant) -> dict[str, list[str]]:
    return {"owners": list(grant.owners), "workflows": list(grant.workflows), "hosts": list(grant.hosts)}


def _entry(row: Row[Any]) -> SecretEntry:
    return SecretEntry(row.name, row.updated_by, row.updated_at, _grant(row.owners, row.workflows, row.hosts))
