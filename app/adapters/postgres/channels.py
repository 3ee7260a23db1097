"""Channels of notifications in Postgres: sealed by the time they get here. The API's role reads no URL."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres.acting import acting_as_api
from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.named_once import named_once
from app.domain.callers import Caller
from schemas.channel import Channel

_ALL: Final = text("SELECT id FROM notification_channels")
_GET: Final = text("SELECT id FROM notification_channels WHERE id = :id")
_LOCK: Final = text("SELECT id FROM notification_channels WHERE id = :id FOR UPDATE")
_SHOWN: Final = text("""
SELECT id, name, service, version, updated_by, created_at, updated_at, owners, workflows FROM notification_channels
WHERE id = ANY(:ids) ORDER BY name
""")
_INSERT: Final = text("""
INSERT INTO notification_channels (id, name, service, url, version, updated_by, created_at, updated_at, owners,
  workflows)
VALUES (:id, :name, :service, :url, :version, :updated_by, :created_at, :updated_at, :owners, :workflows)
""")
_UPDATE: Final = text("""
UPDATE notification_channels SET name = :name, service = :service, version = :version, updated_by = :updated_by,
  updated_at = :updated_at, owners = :owners, workflows = :workflows WHERE id = :id
""")
_UPDATE_URL: Final = text("UPDATE notification_channels SET url = :url WHERE id = :id")
_DELETE: Final = text("DELETE FROM notification_channels WHERE id = :id")
_USERS: Final = text("""
SELECT name FROM automations WHERE deleted_at IS NULL
  AND actions @> jsonb_build_array(jsonb_build_object('type', 'send_notification',
    'config', jsonb_build_object('channel', CAST(:name AS text))))
ORDER BY name LIMIT 3
""")


class PostgresChannels:
    """Implements ``app.ports.channels.ChannelStore``; that callers are administrators is row level security's.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self, caller: Caller) -> AsyncIterator["ChannelTransaction"]:
        """Open a transaction as the caller."""
        async with self._database.reading(caller) as connection:
            yield ChannelTransaction(connection)

    async def all(self, caller: Caller) -> Sequence[Channel]:
        """Return all, by name."""
        async with self._database.reading(caller) as connection:
            return await _shown(connection, _ALL, {})

    async def get(self, caller: Caller, channel_id: UUID) -> Channel | None:
        """Return one."""
        async with self._database.reading(caller) as connection:
            return next(iter(await _shown(connection, _GET, {"id": channel_id})), None)


class ChannelTransaction:
    """Implements ``app.ports.channels.ChannelTransaction`` over a connection that acts as the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, channel_id: UUID) -> Channel | None:
        """Return a channel, locked."""
        return next(iter(await _shown(self._connection, _LOCK, {"id": channel_id})), None)

    async def insert(self, channel: Channel, sealed: bytes) -> None:
        """Store a new channel.

        Raises:
            ConflictError: There is one of that name.
        """
        with named_once(f"There is another channel named {channel.name!r}"):
            await self._connection.execute(_INSERT, {**channel.__dict__, "url": sealed})

    async def update(self, channel: Channel, sealed: bytes | None) -> None:
        """Store a channel's new version.

        Raises:
            ConflictError: There is another one of that name.
        """
        with named_once(f"There is another channel named {channel.name!r}"):
            await self._connection.execute(_UPDATE, channel.__dict__)
        if sealed is not None:
            await self._connection.execute(_UPDATE_URL, {"id": channel.id, "url": sealed})

    async def delete(self, channel_id: UUID) -> None:
        """Remove a channel."""
        await self._connection.execute(_DELETE, {"id": channel_id})

    async def workflows_with(self, channel: Channel) -> Sequence[str]:
        """Return names of workflows that use it, three at most."""
        return list((await self._connection.execute(_USERS, {"name": channel.name})).scalars())


async def _shown(connection: AsyncConnection, visible: TextClause, values: Mapping[str, Any]) -> list[Channel]:
    """Return channels that the caller sees, by name; only the API's role reads who made and may use them."""
    ids = list((await connection.execute(visible, values)).scalars())
    async with acting_as_api(connection):
        rows = (await connection.execute(_SHOWN, {"ids": ids})).all()
    return [_channel(row) for row in rows]


def _channel(row: Row[Any]) -> Channel:
    return Channel.model_validate(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name for a row's columns
