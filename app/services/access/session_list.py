"""Sessions as people see and end them: each user their own, administrators everybody's."""

from uuid import UUID

from app.domain.callers import Caller
from app.domain.errors import NotFoundError
from app.domain.paging import Page, Position, page_of, read_cursor
from app.ports.sessions import Session, SessionList


class SessionListService:
    """The use cases.

    Args:
        store: Where sessions are kept.
    """

    def __init__(self, store: SessionList) -> None:
        self._store = store

    async def page(self, caller: Caller, user_id: UUID | None, cursor: str | None, limit: int) -> Page[Session]:
        """List the sessions of a user, or the caller's own, newest first.

        Raises:
            InvalidError: The cursor is none of ours.
        """
        rows = await self._store.find(caller, user_id or caller.user_id, read_cursor(cursor), limit + 1)
        return page_of(rows, limit, lambda session: Position(session.created_at, session.id))

    async def end(self, caller: Caller, session_id: UUID) -> None:
        """End one; it is refused within two seconds.

        Raises:
            NotFoundError: The caller sees none of this id.
        """
        if not await self._store.end(caller, session_id):
            raise NotFoundError("There is no such session")
