"""Users' notifications in Postgres, as the API shows them; whose they are is row level security's to say."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, func, select, tuple_, update

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.schema import NOTIFICATIONS
from app.domain.callers import Caller
from app.domain.paging import Position
from schemas.notification import Notification

_N: Final = NOTIFICATIONS.c


class PostgresNotifications:
    """Implements ``app.ports.notifications.NotificationStore``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    async def find(self, caller: Caller, *, unread: bool, after: Position | None, limit: int) -> Sequence[Notification]:
        """Return a page of the caller's own, newest first."""
        statement = select(NOTIFICATIONS).order_by(_N.created_at.desc(), _N.id.desc()).limit(limit)
        if unread:
            statement = statement.where(_N.read_at.is_(None))
        if after is not None:
            statement = statement.where(tuple_(_N.created_at, _N.id) < tuple_(after.at, after.id))
        async with self._database.reading(caller) as connection:
            return [_notification(row) for row in await connection.execute(statement)]

    async def mark_read(self, caller: Caller, notification_id: UUID) -> Notification | None:
        """Mark one of the caller's own as read; the first time counts."""
        statement = (
            update(NOTIFICATIONS)
            .where(_N.id == notification_id)
            .values(read_at=func.coalesce(_N.read_at, func.now()))
            .returning(*_N)
        )
        async with self._database.reading(caller) as connection:
            row = (await connection.execute(statement)).one_or_none()
        return None if row is None else _notification(row)


def _notification(row: Row[Any]) -> Notification:
    return Notification.model_validate(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name for a row's columns
