"""Secrets in Postgres: sealed by the time they get here. The API's role can write them and read no value."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Row, text

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.sealed_secrets import grant_of
from app.domain.callers import Caller
from app.domain.grants import Grant
from app.ports import SecretEntry

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
            made = grant(None if known is None else grant_of(*known))
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


def _lists(grant: Grant) -> dict[str, list[str]]:
    return {"owners": list(grant.owners), "workflows": list(grant.workflows), "hosts": list(grant.hosts)}


def _entry(row: Row[Any]) -> SecretEntry:
    return SecretEntry(row.name, row.updated_by, row.updated_at, grant_of(row.owners, row.workflows, row.hosts))
