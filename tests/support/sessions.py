"""People who are signed in, for tests: a user and a session of theirs in the API's database."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

import psycopg

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.sessions import PostgresSessions
from app.admin.cookies import SESSION
from app.admin.forgery import HEADER
from app.domain.callers import Permission, Role
from app.domain.sessions import csrf_token
from app.services.access.sessions import Sessions
from app.settings import Settings

_ADD: Final = "INSERT INTO users (id, email, name, role, permissions) VALUES (%s, %s, 'Somebody', %s, %s)"


@dataclass(frozen=True)
class SignedIn:
    """Somebody with a session.

    Attributes:
        token: What the cookie holds.
        cookie: The header of a request that only reads.
        headers: The headers of one that changes something.
    """

    id: UUID
    email: str
    session_id: UUID
    token: str

    @property
    def cookie(self) -> dict[str, str]:
        """The session's cookie, as over plain HTTP on loopback."""
        return {"Cookie": f"{SESSION}={self.token}"}

    @property
    def headers(self) -> dict[str, str]:
        """The cookie, and the token against forged requests."""
        return {**self.cookie, HEADER: csrf_token(self.token)}


async def signed_in(admin_url: str, settings: Settings, role: Role = "user", *permissions: Permission) -> SignedIn:
    """Return somebody new who has just signed in.

    Args:
        admin_url: An administrator's URL of the API's database.
        settings: The API's; what it logs in as opens the session.
        role: The user's.
        permissions: The user's, beside what every user may.
    """
    user_id = uuid4()
    email = f"{user_id}@example.com"
    async with await psycopg.AsyncConnection.connect(admin_url) as connection:
        await connection.execute(_ADD, (user_id, email, role, list(permissions)))
    session_id, token = await session_of(settings, user_id)
    return SignedIn(user_id, email, session_id, token)


async def session_of(settings: Settings, user_id: UUID) -> tuple[UUID, str]:
    """Open one more session of a user; returns its id, and what the cookie holds."""
    database = ApiDatabase(settings)
    try:
        sessions = Sessions(PostgresSessions(database), timedelta(days=1), timedelta(days=7))
        session, token = await sessions.open(user_id, "password", "192.0.2.1", "a test")
    finally:
        await database.close()
    return session.id, token
