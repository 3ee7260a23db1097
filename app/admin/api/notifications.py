"""``/api/v1/notifications``: the caller's inbox."""

from typing import Final

from aiohttp import web

from app.admin.message_models import NotificationPage, NotificationQuery
from app.admin.operations import Operation
from app.admin.requests import CALLER, answer, next_cursor, path_id, read_query
from app.admin.state import STATE
from app.domain.paging import read_cursor
from schemas.notification import Notification

_ROOT: Final = "/api/v1/notifications"


async def list_notifications(request: web.Request) -> web.Response:
    """List the caller's own."""
    query = read_query(request, NotificationQuery)
    page = await request.app[STATE].messages.inboxes.find(
        request[CALLER], unread=query.unread, after=read_cursor(query.cursor), limit=query.limit
    )
    return answer(NotificationPage(items=list(page.items), next_cursor=next_cursor(request, page.next_cursor)))


async def read_notification(request: web.Request) -> web.Response:
    """Mark one of the caller's own as read."""
    marked = await request.app[STATE].messages.inboxes.mark_read(request[CALLER], path_id(request, "notification"))
    return answer(marked)


OPERATIONS: Final = (
    Operation(
        "GET", _ROOT, "listNotifications", "List one's own notifications, newest first", list_notifications,
        {200: NotificationPage}, tag="notifications", query=NotificationQuery,
    ),
    Operation(
        "POST", f"{_ROOT}/{{id}}/read", "readNotification", "Mark a notification of one's own as read",
        read_notification, {200: Notification}, tag="notifications",
    ),
)  # fmt: skip
