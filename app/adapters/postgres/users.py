"""Users in Postgres, as administrators work on them; row level security says who sees and changes them."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres.acting import acting_as_api
from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.named_once import named_once
from app.adapters.postgres.newest_first import NewestFirst
from app.adapters.postgres.schema import SESSIONS, USERS
from app.adapters.postgres.turns import take_turn
from app.domain.callers import Caller, known_permissions
from app.domain.paging import Position
from app.ports.users import User, UserFilter

_U: Final = USERS.c
# As a caller's token is noted, at once: their workflows run without them.
_NOTE: Final = text("""
INSERT INTO user_permissions AS noted (user_id, role, permissions, gone_at)
VALUES (:id, :role, :permissions, CASE WHEN :gone THEN now() END)
ON CONFLICT (user_id) DO UPDATE
SET role = excluded.role, permissions = excluded.permissions, gone_at = excluded.gone_at, noted_at = now()
WHERE (noted.role, noted.permissions, noted.gone_at)
  IS DISTINCT FROM (excluded.role, excluded.permissions, excluded.gone_at)
""")


class PostgresUsers:
    """Implements ``app.ports.users.UserStore``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self, caller: Caller) -> AsyncIterator["UserTransaction"]:
        """Open a transaction as the caller: one after the other, so that two never take each other away."""
        async with self._database.reading(caller) as connection:
            await take_turn(connection, "users")
            yield UserTransaction(connection)

    async def insert(self, caller: Caller, user: User) -> User:
        """Store a new one.

        Raises:
            ConflictError: Another one has the e-mail or the id.
        """
        row = {"id": user.id, **_written(user)}
        with named_once(f"There is a user {user.email} already, or one of this id"):
            async with self._database.reading(caller) as connection:
                return _user((await connection.execute(insert(USERS).values(row).returning(USERS))).one())

    async def get(self, caller: Caller, user_id: UUID) -> User | None:
        """Return one that the caller may see."""
        async with self._database.reading(caller) as connection:
            return await _ROWS.get(connection, user_id)

    async def find(self, caller: Caller, wanted: UserFilter, after: Position | None, limit: int) -> Sequence[User]:
        """Return a page, newest first."""
        where: list[ColumnElement[bool]] = []
        if wanted.search is not None:
            where.append(_ROWS.holding(wanted.search, "email", "name"))
        if wanted.role is not None:
            where.append(_U.role == wanted.role)
        if wanted.disabled is not None:
            where.append(_U.disabled_at.is_not(None) if wanted.disabled else _U.disabled_at.is_(None))
        async with self._database.reading(caller) as connection:
            return await _ROWS.page(connection, where, after, limit)

    async def names(self, caller: Caller, ids: Collection[UUID]) -> Mapping[UUID, str]:
        """Return what those are called that there are and the caller may see, by their ids."""
        async with self._database.reading(caller) as connection:
            rows = await connection.execute(select(_U.id, _U.name).where(_U.id.in_(ids)))
            return {row.id: row.name for row in rows}


class UserTransaction:
    """Implements ``app.ports.users.UserTransaction`` over a connection that acts as the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, user_id: UUID) -> User | None:
        """Return one that the caller may see, locked."""
        return await _ROWS.get(self._connection, user_id, locked=True)

    async def update(self, user: User, *, ends_sessions: bool) -> User:
        """Store what is changed of one, as a new version.

        Raises:
            ConflictError: Another one has the e-mail, or there would be no administrator.
        """
        values = {
            **_written(user),
            "disabled_at": user.disabled_at,
            "version": _U.version + 1,
            "updated_at": func.now(),
        }
        statement = update(USERS).where(_U.id == user.id).values(values).returning(USERS)
        with named_once(f"There is another user {user.email}"):
            stored = _user((await self._connection.execute(statement)).one())
        if ends_sessions:
            await self._connection.execute(delete(SESSIONS).where(SESSIONS.c.user_id == user.id))
        await self._note(user.id, user.role, sorted(user.permissions))
        return stored

    async def delete(self, user_id: UUID) -> None:
        """Remove one, and their sessions; tokens of theirs hold no more, their workflows may what every user may.

        Raises:
            ConflictError: There would be no administrator.
        """
        await self._connection.execute(delete(USERS).where(_U.id == user_id))
        await self._note(user_id, "user", [], gone=True)

    async def _note(self, user_id: UUID, role: str, permissions: list[str], *, gone: bool = False) -> None:
        said = {"id": user_id, "role": role, "permissions": permissions, "gone": gone}
        async with acting_as_api(self._connection):
            await self._connection.execute(_NOTE, said)


def _written(user: User) -> dict[str, Any]:
    return {"email": user.email, "name": user.name, "role": user.role, "permissions": sorted(user.permissions)}


def _user(row: Row[Any]) -> User:
    return User(
        row.id,
        row.email,
        row.name,
        row.role,
        known_permissions(row.permissions),
        row.disabled_at,
        row.has_password,
        row.signed_in_at,
        row.version,
        row.created_at,
    )


_ROWS: Final = NewestFirst(USERS, _user, ("name",))
