"""Who users are at an OpenID issuer, in Postgres: known by issuer and subject, by a verified e-mail the first time."""

import logging
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres.api_engine import ApiDatabase
from app.domain.errors import ConflictError
from app.ports.identities import Identity

_TURN: Final = text("SELECT headrace_take_turn(CAST('users' AS text))")
_KNOWN: Final = text("""
SELECT u.id, u.disabled_at IS NOT NULL AS disabled FROM user_identities AS i JOIN users AS u ON u.id = i.user_id
WHERE i.issuer = :issuer AND i.subject = :subject
""")
# Whoever is somebody else at this issuer is not this one, whatever e-mail they have by now.
_BY_EMAIL: Final = text("""
SELECT u.id, u.disabled_at IS NOT NULL AS disabled,
  EXISTS (SELECT FROM user_identities AS i WHERE i.user_id = u.id AND i.issuer = :issuer) AS another
FROM users AS u WHERE lower(u.email) = lower(:email)
""")
_LINK: Final = text("INSERT INTO user_identities (issuer, subject, user_id) VALUES (:issuer, :subject, :id)")
_CREATE: Final = text("INSERT INTO users (id, email, name, role, permissions) VALUES (:id, :email, :name, :role, '{}')")
_ROLE: Final = text("""
UPDATE users SET role = :role, version = version + 1, updated_at = now() WHERE id = :id AND role <> :role
""")
_LOG: Final = logging.getLogger(__name__)


class PostgresIdentities:
    """Implements ``app.ports.identities.IdentityStore``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    async def signed_in(self, identity: Identity, *, create: bool) -> UUID | None:
        """Return the user of an identity, with the role that it stands for; None where there is none to be let in."""
        async with self._database.serving() as connection:
            await connection.execute(_TURN)  # two first sign-ins at once make one user
            found = await self._found(connection, identity, create=create)
        if found is not None and identity.role is not None:
            await self._give_role(found, identity.role)
        return found

    async def _found(self, connection: AsyncConnection, identity: Identity, *, create: bool) -> UUID | None:
        names = {"issuer": identity.issuer, "subject": identity.subject}
        row = (await connection.execute(_KNOWN, names)).one_or_none()
        if row is not None:
            return None if row.disabled else row.id
        if identity.email is None:
            return None
        row = (await connection.execute(_BY_EMAIL, {"issuer": identity.issuer, "email": identity.email})).one_or_none()
        if row is None and not create:
            return None
        if row is not None and (row.disabled or row.another):
            return None
        user_id: UUID = row.id if row is not None else uuid4()
        if row is None:
            values = {"id": user_id, "email": identity.email, "name": identity.name, "role": identity.role or "user"}
            await connection.execute(_CREATE, values)
        await connection.execute(_LINK, {**names, "id": user_id})
        return user_id

    async def _give_role(self, user_id: UUID, role: str) -> None:
        try:
            async with self._database.serving() as connection:
                await connection.execute(_TURN)
                await connection.execute(_ROLE, {"id": user_id, "role": role})
        except ConflictError:
            _LOG.warning("the last administrator stays one, whatever the issuer says", extra={"user": str(user_id)})
