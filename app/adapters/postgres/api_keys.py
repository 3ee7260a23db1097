"""API keys in Postgres: digests only. Administrators' statements are judged by row level security."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.turns import take_turn
from app.domain.callers import Caller, known_permissions
from app.domain.errors import ConflictError
from app.ports import ApiKey

_COLUMNS: Final = "id, name, permissions, created_by, created_at, expires_at, revoked_at, last_used, replaced_by"
_IN_USE: Final = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())"
_COUNT: Final = text(f"SELECT count(*) FROM api_keys WHERE {_IN_USE}")  # noqa: S608 - our own words only
_ADD: Final = text("""
INSERT INTO api_keys (id, name, digest, permissions, created_by, created_at, expires_at)
VALUES (:id, :name, :digest, :permissions, :created_by, :created_at, :expires_at)
""")
_ENTRIES: Final = text(f"SELECT {_COLUMNS} FROM api_keys ORDER BY created_at DESC, id LIMIT 5000")  # noqa: S608
_ONE: Final = text(f"SELECT {_COLUMNS} FROM api_keys WHERE id = :id AND {_IN_USE} FOR UPDATE")  # noqa: S608
_REPLACED: Final = text("""
UPDATE api_keys SET replaced_by = :by, expires_at = least(expires_at, CAST(:ends AS timestamptz)) WHERE id = :id
""")
_REVOKE: Final = text("UPDATE api_keys SET revoked_at = now() WHERE id = :id AND revoked_at IS NULL")
_KNOWN: Final = text(f"SELECT digest, {_COLUMNS} FROM api_keys WHERE {_IN_USE}")  # noqa: S608
_NOTE: Final = text("UPDATE api_keys SET last_used = now() WHERE id = :id")


class PostgresApiKeys:
    """Implements ``app.ports.ApiKeyStore`` and ``app.ports.KnownKeys``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    async def add(self, caller: Caller, key: ApiKey, digest: bytes, most: int) -> bool:
        """Store a new key; False where ``most`` are in use already."""
        async with self._database.reading(caller) as connection:
            # Two at once must not both be the last that is allowed.
            await take_turn(connection, "api keys")
            if (await connection.execute(_COUNT)).scalar_one() >= most:
                return False
            await connection.execute(_ADD, _row(key, digest))
        return True

    async def entries(self, caller: Caller) -> Sequence[ApiKey]:
        """Return all, newest first."""
        async with self._database.reading(caller) as connection:
            return [_entry(row) for row in await connection.execute(_ENTRIES)]

    async def replace(
        self, caller: Caller, key_id: UUID, new: Callable[[ApiKey], ApiKey], digest: bytes, ends: datetime
    ) -> ApiKey | None:
        """Store a key in place of one in use; None where no key in use has this id.

        Raises:
            ConflictError: Another key is in its place already.
        """
        async with self._database.reading(caller) as connection:
            row = (await connection.execute(_ONE, {"id": key_id})).one_or_none()
            if row is None:
                return None
            if row.replaced_by is not None:
                raise ConflictError("This API key has been exchanged already; exchange the one in its place")
            made = new(_entry(row))
            await connection.execute(_ADD, _row(made, digest))
            await connection.execute(_REPLACED, {"id": key_id, "by": made.id, "ends": ends})
        return made

    async def revoke(self, caller: Caller, key_id: UUID) -> bool:
        """Revoke a key; False where no key in use has this id."""
        async with self._database.reading(caller) as connection:
            return bool((await connection.execute(_REVOKE, {"id": key_id})).rowcount)

    async def in_use(self) -> dict[bytes, ApiKey]:
        """Return those neither revoked nor expired, by digest."""
        async with self._database.serving() as connection:
            return {bytes(row.digest): _entry(row) for row in await connection.execute(_KNOWN)}

    async def note_use(self, key_id: UUID) -> None:
        """Note that one was used just now."""
        async with self._database.serving() as connection:
            await connection.execute(_NOTE, {"id": key_id})


def _row(key: ApiKey, digest: bytes) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "digest": digest,
        "permissions": sorted(key.permissions),
        "created_by": key.created_by,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
    }


def _entry(row: Row[Any]) -> ApiKey:
    return ApiKey(
        row.id,
        row.name,
        known_permissions(row.permissions),
        row.created_by,
        row.created_at,
        row.expires_at,
        row.revoked_at,
        row.last_used,
        row.replaced_by,
    )
