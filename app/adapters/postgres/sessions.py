"""Sessions in Postgres: digests only. What people see and end of them is row level security's to say."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, delete, text

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.newest_first import NewestFirst
from app.adapters.postgres.schema import SESSIONS
from app.domain.callers import Caller, known_permissions
from app.domain.paging import Position
from app.ports.sessions import Session, SignedIn

_OPEN: Final = text("""
INSERT INTO sessions (id, user_id, digest, how, address, agent, expires_at)
VALUES (:id, :user_id, :digest, :how, :address, :agent, :expires_at)
""")
_END_OLDEST: Final = text("""
DELETE FROM sessions WHERE id IN (
  SELECT id FROM sessions WHERE user_id = :user_id ORDER BY created_at DESC, id DESC OFFSET :most)
""")
# Some at each sign-in are more than come in.
_END_EXPIRED: Final = text("""
DELETE FROM sessions WHERE id IN (
  SELECT id FROM sessions WHERE expires_at < now() ORDER BY expires_at LIMIT 50 FOR UPDATE SKIP LOCKED)
""")
_FIND: Final = text("""
SELECT s.digest, s.id, s.user_id, s.how, s.address, s.agent, s.created_at, s.seen_at, s.expires_at,
  u.email, u.name, u.role, u.permissions
FROM sessions AS s JOIN users AS u ON u.id = s.user_id
WHERE s.digest = ANY(:digests) AND u.disabled_at IS NULL
""")
_SEEN: Final = text("UPDATE sessions SET seen_at = now() WHERE id = :id")
_END: Final = text("DELETE FROM sessions WHERE id = :id")


class PostgresSessions:
    """Implements ``app.ports.sessions.SessionStore``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    async def open(self, session: Session, digest: bytes, most: int) -> None:
        """Store a new one; the times that it began and was seen are the database's."""
        # Without claims: the audit trail takes who signs in from the row, and that we end their oldest is our doing.
        async with self._database.serving() as connection:
            await connection.execute(_END_EXPIRED)
            await connection.execute(_OPEN, {**asdict(session), "digest": digest})
            await connection.execute(_END_OLDEST, {"user_id": session.user_id, "most": most})

    async def find(self, digests: Sequence[bytes]) -> Mapping[bytes, SignedIn]:
        """Return those that there are, of users who are not disabled."""
        async with self._database.serving() as connection:
            rows = await connection.execute(_FIND, {"digests": list(digests)})
            return {bytes(row.digest): _signed_in(row) for row in rows}

    async def note_seen(self, session_id: UUID) -> None:
        """Note that one was used just now."""
        async with self._database.serving() as connection:
            await connection.execute(_SEEN, {"id": session_id})

    async def end(self, caller: Caller, session_id: UUID) -> None:
        """End one, if it is there, for who signs out."""
        async with self._database.serving(caller) as connection:
            await connection.execute(_END, {"id": session_id})


class PostgresSessionList:
    """Implements ``app.ports.sessions.SessionList``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    async def find(self, caller: Caller, user_id: UUID | None, after: Position | None, limit: int) -> Sequence[Session]:
        """Return a page of those that have not expired."""
        where = [SESSIONS.c.expires_at > text("now()")]
        if user_id is not None:
            where.append(SESSIONS.c.user_id == user_id)
        async with self._database.reading(caller) as connection:
            return await _ROWS.page(connection, where, after, limit)

    async def end(self, caller: Caller, session_id: UUID) -> bool:
        """End one; False where the caller sees none of this id."""
        async with self._database.reading(caller) as connection:
            return bool((await connection.execute(delete(SESSIONS).where(SESSIONS.c.id == session_id))).rowcount)


def _session(row: Row[Any]) -> Session:
    return Session(row.id, row.user_id, row.how, row.address, row.agent, row.created_at, row.seen_at, row.expires_at)


def _signed_in(row: Row[Any]) -> SignedIn:
    return SignedIn(_session(row), row.email, row.name, row.role, known_permissions(row.permissions))


_ROWS: Final = NewestFirst(SESSIONS, _session, ("agent",))
