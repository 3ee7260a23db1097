"""``/api/v1/queue``: how the installation keeps up."""

from typing import Final

from aiohttp import web

from app.admin.operations import Operation
from app.admin.requests import CALLER, answer
from app.admin.state import STATE
from app.services.operations.queue_status import QueueView


async def show_queue(request: web.Request) -> web.Response:
    """Show how deep the queue is, and what of the rest the caller may know."""
    return answer(await request.app[STATE].queue.view(request[CALLER]))


OPERATIONS: Final = (
    Operation(
        "GET", "/api/v1/queue", "showQueue", "Show what waits: by role and lane, parked, failed, in the outbox",
        show_queue, {200: QueueView}, tag="queue",
    ),
)  # fmt: skip
