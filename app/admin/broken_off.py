"""Answers that have begun and break off: nobody takes one for whole, and the log says why it is not.

A document (an export, say) is cut off without its last chunk, as HTTP has it for one that is incomplete (RFC 9112,
section 8). A stream of events has no last one, so it says it in an event ``error``, with what the caller would have
been answered, and ends.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from app.admin.problems import problem_for, problem_response
from app.admin.streams import EventStream
from app.domain.errors import BehindError, UnreachableError
from app.metrics.admin import BROKEN_OFF

REQUEST_ID: Final = web.RequestKey("request_id", str)
STARTED: Final = web.RequestKey("started", web.StreamResponse)
_BROKE: Final = web.RequestKey("broke", Exception)


def said(request: web.Request, error: Exception) -> tuple[web.Response, bool]:
    """Return an error as its caller may know it, and whether it is one that they can do something about."""
    instance = f"urn:uuid:{request[REQUEST_ID]}"
    problem = problem_for(error, instance)
    if problem is not None:
        return problem, True
    return problem_response(500, "Something went wrong here; quote the request id", instance=instance), False


def cut_off(request: web.Request, error: Exception) -> None:
    """Cut off an answer that has begun."""
    _note(request, error)
    if request.transport is not None:
        request.transport.abort()


def broke(request: web.Request) -> Exception | None:
    """Return why an answer broke off, if it did; that its caller has gone is no such reason."""
    error = request.get(_BROKE)
    return None if isinstance(error, ConnectionError) else error


@asynccontextmanager
async def streaming(request: web.Request) -> AsyncIterator[EventStream]:
    """Begin a stream of events for the block, which breaks off with an event ``error``."""
    stream = EventStream(request)
    try:
        await stream.begin()
        yield stream
    except asyncio.CancelledError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the stream has begun; the middleware logs it
        _note(request, error)
        if broke(request) is not None:
            await _tell(stream, said(request, error)[0])


async def _tell(stream: EventStream, problem: web.Response) -> None:
    assert isinstance(problem.body, bytes)
    try:
        await stream.send_error(problem.body)
    except ConnectionError:
        return


def _note(request: web.Request, error: Exception) -> None:
    request[_BROKE] = error
    if broke(request) is not None:
        kinds = (UnreachableError, "unreachable"), (BehindError, "behind")
        BROKEN_OFF.labels(next((name for kind, name in kinds if isinstance(error, kind)), "failed")).inc()
