"""What executors read of channels, and who may use which; without SQLAlchemy, which only the API needs."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from app.adapters.postgres.crm_reads import Connect
from app.adapters.postgres.pool import persistently
from app.domain.grants import Grant
from app.ports import Sealed
from app.ports.channels import KnownChannel

_KNOWN: Final = "SELECT name, service, owners, workflows FROM notification_channels WHERE name = ANY(%s)"
_READ: Final = "SELECT name, url, owners, workflows FROM notification_channels WHERE name = ANY(%s)"


class PostgresChannelUrls:
    """Implements ``app.ports.SealedSecrets`` for executors: a channel's name is the name, its URL the value.

    Args:
        connect: Lends a connection.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    async def read(self, names: Collection[str]) -> Mapping[str, Sealed]:
        """Return the sealed URLs of those that there are; waits an outage out.

        Raises:
            UnreachableError: Postgres stayed away for too long.
        """

        async def run() -> list[Any]:
            async with self._connect() as connection:
                return await (await connection.execute(_READ, (list(names),))).fetchall()

        rows = await persistently(run)
        return {name: Sealed(bytes(url), Grant(tuple(whose), tuple(which))) for name, url, whose, which in rows}


class PostgresChannelDirectory:
    """Implements ``app.ports.channels.ChannelDirectory``.

    Args:
        connect: Lends a connection in the API's role.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    async def of(self, names: Collection[str]) -> Mapping[str, KnownChannel]:
        """Return those that there are."""
        async with self._connect() as connection:
            rows = await (await connection.execute(_KNOWN, (list(names),))).fetchall()
        return {name: KnownChannel(Grant(tuple(whose), tuple(which)), service) for name, service, whose, which in rows}
