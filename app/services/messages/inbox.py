"""A user's notifications: what actions put into their inbox."""

from uuid import UUID

from app.domain.callers import Caller
from app.domain.errors import NotFoundError
from app.domain.paging import Page, Position, page_of
from app.ports.notifications import NotificationStore
from schemas.notification import Notification


class NotificationService:
    """The use cases.

    Args:
        store: Where notifications are kept.
    """

    def __init__(self, store: NotificationStore) -> None:
        self._store = store

    async def find(self, caller: Caller, *, unread: bool, after: Position | None, limit: int) -> Page[Notification]:
        """List the caller's own, newest first; ``unread`` leaves out those that were read."""
        rows = await self._store.find(caller, unread=unread, after=after, limit=limit + 1)
        return page_of(rows, limit, lambda one: Position(one.created_at, one.id))

    async def mark_read(self, caller: Caller, notification_id: UUID) -> Notification:
        """Mark one of the caller's own as read; one that is so already stays as it is.

        Raises:
            NotFoundError: The caller has none of that id.
        """
        found = await self._store.mark_read(caller, notification_id)
        if found is None:
            raise NotFoundError("There is no such notification")
        return found
