"""What executors read of secrets, and who may use which; without SQLAlchemy, which only the API needs."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from app.adapters.postgres.crm_reads import Connect
from app.adapters.postgres.pool import Pool, persistently
from app.domain.grants import Grant
from app.ports import Sealed

_READ: Final = "SELECT name, value, owners, workflows, hosts FROM secrets WHERE name = ANY(%s)"
_GRANTS: Final = "SELECT name, owners, workflows, hosts FROM secrets WHERE name = ANY(%s)"


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

        return {name: Sealed(bytes(value), grant_of(*lists)) for name, value, *lists in await persistently(run)}


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
        return {name: grant_of(*lists) for name, *lists in rows}


def grant_of(owners: Sequence[str], workflows: Sequence[str], hosts: Sequence[str]) -> Grant:
    """Return what the three columns of a grant say."""
    return Grant(tuple(owners), tuple(workflows), tuple(hosts))
