"""``/api/v1/queue``: how the installation keeps up."""

from typing import Final

from aiohttp import web

from app.admin.operations import Operation
from app.admin.requests import answer
from app.admin.state import STATE
from app.services.queue import QueueStatus


async def show_queue(request: web.Request) -> web.Response:
    """Show how deep the queue is."""
    return answer(await request.app[STATE].queue.status())


OPERATIONS: Final = (
    Operation(
        "GET", "/api/v1/queue", "showQueue", "Show what waits: by role and lane, parked, failed, in the outbox",
        show_queue, {200: QueueStatus},
    ),
)  # fmt: skip
