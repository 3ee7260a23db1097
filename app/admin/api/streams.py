"""``/api/v1/executions/stream`` and ``/api/v1/queue/stream``: server-sent events for a page that is to be live."""

from functools import partial
from hashlib import blake2s
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from app.admin.api.executions import chosen
from app.admin.broken_off import streaming
from app.admin.execution_models import ExecutionChoice
from app.admin.operations import EVENT_STREAM, Operation
from app.admin.queries import Query
from app.admin.requests import CALLER, read_query
from app.admin.state import STATE
from app.admin.streams import EventStream, going_on, is_gone
from app.services.operations.following import Told
from app.services.operations.queue_status import QueueView
from schemas.base import encode

_LAST: Final = "Last-Event-ID"
_RESET: Final = {"reason": "what came since cannot be told one by one: load the list again"}

Seconds = Annotated[
    int,
    Field(ge=0, le=3600, description="After which the stream ends; 0: what was missed since Last-Event-ID, no more"),
]


class ExecutionStreamQuery(ExecutionChoice):
    """Which executions to tell of as they end: all that is given must hold."""

    seconds: Seconds = 900


class QueueStreamQuery(Query):
    """How long to tell of the queue."""

    seconds: Seconds = 900


async def stream_executions(request: web.Request) -> web.StreamResponse:
    """Tell of executions as their rows are written: events ``execution``, and ``reset`` where some cannot be told."""
    query = read_query(request, ExecutionStreamQuery)
    state, caller = request.app[STATE], request[CALLER]
    with (
        state.live.streams.opened(caller.user_id, "executions", partial(is_gone, request)),
        state.live.following.follower(caller, chosen(query)) as one,
    ):
        missed = await state.live.following.begin(one, request.headers.get(_LAST))
        async with streaming(request) as stream:

            async def turn() -> str | None:
                told = await one.next()
                if told is not None:
                    await _tell(stream, told)
                return None if told is None else one.place

            if stream.is_head:
                return stream.response
            await _tell(stream, missed)
            await stream.beat(one.place)
            await going_on(stream, query.seconds, turn)
    return stream.response


async def _tell(stream: EventStream, told: list[Told]) -> None:
    for one in told:
        if one.execution is None:
            await stream.send("reset", one.place, _RESET)
        else:
            await stream.send("execution", one.place, one.execution)


async def stream_queue(request: web.Request) -> web.StreamResponse:
    """Tell how the queue stands, whole, whenever that changes: events ``queue``."""
    query = read_query(request, QueueStreamQuery)
    state, caller = request.app[STATE], request[CALLER]
    with (
        state.live.streams.opened(caller.user_id, "queue", partial(is_gone, request)),
        state.live.queue.watching(caller),
    ):
        first, last = await state.live.queue.begin(caller), request.headers.get(_LAST, "")
        async with streaming(request) as stream:

            async def tell(view: QueueView) -> str:
                nonlocal last
                place = _stands(view)
                if place != last:
                    await stream.send("queue", place, view)
                last = place
                return place

            async def turn() -> str | None:
                view = await state.live.queue.next(caller)
                return None if view is None else await tell(view)

            if stream.is_head:
                return stream.response
            await tell(first)
            await going_on(stream, query.seconds, turn)
    return stream.response


def _stands(view: QueueView) -> str:
    """Return what is another whenever the queue stands otherwise."""
    same = {name: value for name, value in dict(view).items() if name not in {"as_of", "outbox_oldest_s"}}
    # A role that nothing was known of the pace of, and that stands still, stands as it did.
    same["roles"] = [one.model_copy(update={"rate": one.rate or 0.0}) for one in view.roles]
    return blake2s(encode(same), digest_size=12).hexdigest()


OPERATIONS: Final = (
    Operation(
        "GET", "/api/v1/executions/stream", "streamExecutions", "Follow executions as they end (server-sent events)",
        stream_executions, {200: None}, tag="executions", query=ExecutionStreamQuery, content_type=EVENT_STREAM,
        lasting=True,
    ),
    Operation(
        "GET", "/api/v1/queue/stream", "streamQueue", "Follow what waits (server-sent events)", stream_queue,
        {200: None}, tag="queue", query=QueueStreamQuery, content_type=EVENT_STREAM, lasting=True,
    ),
)  # fmt: skip
