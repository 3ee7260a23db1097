"""What the API takes and gives about sessions."""

from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from app.admin.queries import Cursor, Limit
from app.admin.queries import Query as _Query
from app.domain.callers import Role
from app.domain.sessions import How


class SessionView(BaseModel):
    """What may be seen of a session; ``current``: the one that asks."""

    id: UUID
    user_id: UUID
    how: How
    address: str
    agent: str
    created_at: AwareDatetime
    seen_at: AwareDatetime
    expires_at: AwareDatetime
    current: bool


class SessionPage(BaseModel):
    """A page of sessions, newest first."""

    items: list[SessionView]
    next_cursor: str | None


class SessionQuery(_Query):
    """Whose sessions to list; an administrator may name another user."""

    user: UUID | None = None
    limit: Limit = 50
    cursor: Cursor = None


class Me(BaseModel):
    """Who calls, and as what.

    ``permissions`` are all that the caller has. E-mail, name, session and ``csrf_token``, which goes into the header
    ``X-CSRF-Token`` of every request that changes something, are those of a session; a token has none.
    """

    id: UUID
    role: Role
    permissions: list[str]
    email: str | None
    name: str | None
    session: SessionView | None
    csrf_token: str | None
