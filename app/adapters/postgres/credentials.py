"""What proves who somebody is, in Postgres: hashes of passwords, digests of links. Only the API's own role sees it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from app.adapters.postgres.acting import go_on_as_api
from app.adapters.postgres.api_engine import ApiDatabase
from app.domain.callers import Caller, known_permissions
from app.ports.users import Credentials, Standing

_COLUMNS: Final = "id, email, name, password_hash, disabled_at IS NOT NULL AS disabled"
_BY_EMAIL: Final = text(f"SELECT {_COLUMNS} FROM users WHERE lower(email) = lower(:email)")  # noqa: S608 - our own words
_BY_ID: Final = text(f"SELECT {_COLUMNS} FROM users WHERE id = :id")  # noqa: S608 - our own words only
_STANDINGS: Final = text("""
SELECT id, role, permissions, CASE WHEN disabled_at IS NOT NULL THEN 'disabled' END AS out FROM users
UNION ALL SELECT user_id, 'user', '{}', 'deleted' FROM user_permissions
WHERE gone_at IS NOT NULL AND NOT EXISTS (SELECT FROM users WHERE id = user_id)
""")
_SET: Final = text("""
UPDATE users SET password_hash = :hash, version = version + 1, updated_at = now() WHERE id = :id
""")
_END_OTHERS: Final = text("DELETE FROM sessions WHERE user_id = :id AND id IS DISTINCT FROM CAST(:keep AS uuid)")
_END_LINKS: Final = text("DELETE FROM sign_in_links WHERE user_id = :id")
_REHASH: Final = text("UPDATE users SET password_hash = :after WHERE id = :id AND password_hash = :before")
_SIGNED_IN: Final = text("UPDATE users SET signed_in_at = now() WHERE id = :id")
_END_OLD_LINKS: Final = text("DELETE FROM sign_in_links WHERE expires_at < now()")
_ADD_LINK: Final = text("INSERT INTO sign_in_links (digest, user_id, expires_at) VALUES (:digest, :id, :expires_at)")
# Who deletes the row has it: another transaction that waits for it finds none.
_TAKE_LINK: Final = text("""
DELETE FROM sign_in_links AS l USING users AS u
WHERE l.digest = :digest AND l.expires_at > now() AND u.id = l.user_id AND u.disabled_at IS NULL RETURNING l.user_id
""")


class PostgresCredentials:
    """Implements ``app.ports.users.CredentialStore`` and ``app.ports.users.Standings``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    async def by_email(self, email: str) -> Credentials | None:
        """Return a user's by their e-mail, in upper or lower case."""
        async with self._database.serving() as connection:
            return _credentials((await connection.execute(_BY_EMAIL, {"email": email})).one_or_none())

    async def by_id(self, user_id: UUID) -> Credentials | None:
        """Return a user's."""
        async with self._database.serving() as connection:
            return _credentials((await connection.execute(_BY_ID, {"id": user_id})).one_or_none())

    async def set_password(self, caller: Caller, user_id: UUID, password_hash: str, keep: UUID | None) -> None:
        """Store a new password's hash, and end the user's links and sessions but for one."""
        async with self._database.reading(caller) as connection:
            await go_on_as_api(connection)
            await connection.execute(_SET, {"id": user_id, "hash": password_hash})
            await connection.execute(_END_OTHERS, {"id": user_id, "keep": keep})
            await connection.execute(_END_LINKS, {"id": user_id})

    async def rehash(self, user_id: UUID, before: str, after: str) -> None:
        """Store the same password's new hash, unless the password was changed meanwhile."""
        async with self._database.reading(Caller(user_id, "user")) as connection:
            await go_on_as_api(connection)
            await connection.execute(_REHASH, {"id": user_id, "before": before, "after": after})

    async def note_sign_in(self, user_id: UUID) -> None:
        """Note that a user has signed in just now."""
        async with self._database.serving() as connection:
            await connection.execute(_SIGNED_IN, {"id": user_id})

    async def add_link(self, caller: Caller, user_id: UUID, digest: bytes, expires_at: datetime) -> None:
        """Store a link that signs a user in once; those that have expired go."""
        async with self._database.reading(caller) as connection:
            await go_on_as_api(connection)
            await connection.execute(_END_OLD_LINKS)
            await connection.execute(_ADD_LINK, {"digest": digest, "id": user_id, "expires_at": expires_at})

    async def take_link(self, digest: bytes) -> UUID | None:
        """Return whom a link signs in, who is not disabled, and forget it."""
        async with self._database.serving() as connection:
            found: UUID | None = (await connection.execute(_TAKE_LINK, {"digest": digest})).scalar_one_or_none()
            return found

    async def standings(self) -> Mapping[UUID, Standing]:
        """Return what all users may that there are or were."""
        async with self._database.serving() as connection:
            rows = await connection.execute(_STANDINGS)
            return {row.id: Standing(row.role, known_permissions(row.permissions), row.out) for row in rows}


def _credentials(row: Row[Any] | None) -> Credentials | None:
    return None if row is None else Credentials(row.id, row.email, row.name, row.password_hash, row.disabled)
