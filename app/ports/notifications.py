"""Notifications: where a user's inbox is kept."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from app.domain.callers import Caller
from app.domain.paging import Position
from schemas.notification import Notification


class NotificationStore(Protocol):
    """Where notifications are kept; a caller sees their own only, an admin as well."""

    async def find(self, caller: Caller, *, unread: bool, after: Position | None, limit: int) -> Sequence[Notification]:
        """Return at most ``limit`` notifications, newest first, from after a position on."""

    async def mark_read(self, caller: Caller, notification_id: UUID) -> Notification | None:
        """Mark one as read, if it is not; None where the caller has none of that id."""
