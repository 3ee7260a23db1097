"""Around every request: an id, access checks, errors as problem documents, security headers, one log line, metrics."""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from aiohttp import web

from app.admin.accepting import acceptable
from app.admin.auth import ForbiddenError
from app.admin.bodies import HOLD
from app.admin.broken_off import REQUEST_ID, STARTED, broke, cut_off, said
from app.admin.connections import begun
from app.admin.identity import BY_SESSION
from app.admin.operations import OPERATION, Operation
from app.admin.problems import SECURITY
from app.admin.queries import Query
from app.admin.requests import CALLER, check_headers, read_query
from app.admin.state import STATE, Access
from app.domain.callers import Caller
from app.domain.errors import FieldError, InvalidError, NotPermittedError
from app.domain.log_context import all_about
from app.domain.wall import METER
from app.metrics.admin import ERRORS, REQUESTS, SECONDS
from app.services.access.rate_limit import RateLimiter
from schemas.problem import Problem

_LOG: Final = logging.getLogger(__name__)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_NO_OPERATION: Final = "none"
_SERVER_ERRORS: Final = 500
_LOGGED_ERRORS: Final = 10
_LOGGED_CHARS: Final = 1000
_LOOKED_AT_CHARS: Final = 10_000
_PATH_CHARS: Final = 500
_QUOTED: Final = re.compile(r"""'(?:\\.|[^'\\])*'?|"(?:\\.|[^"\\])*"?|\d{9,}""")
_PROBES: Final = ("healthz", "readyz", "metrics")


@dataclass(frozen=True, slots=True)
class ErrorsShown:
    """How what goes wrong with a request is shown: ``by`` makes an answer of a problem and its headers."""

    by: Callable[[web.Request, Problem, Mapping[str, str]], web.Response]


# Set on the requests of pages.
ERRORS_SHOWN: Final = web.RequestKey("errors_shown", ErrorsShown)


@web.middleware
async def observe(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Give the request an id, turn its errors into problem documents, log and count it."""
    request[REQUEST_ID] = str(uuid4())
    began = time.monotonic()
    with begun(request), all_about(request_id=request[REQUEST_ID]):
        answer = await _answered(request, handler)
    seconds = time.monotonic() - began
    operation = request[OPERATION].name if OPERATION in request else _NO_OPERATION
    REQUESTS.labels(operation, str(answer.response.status)).inc()
    ERRORS.inc(answer.error is not None)
    if OPERATION not in request or not request[OPERATION].lasting:
        SECONDS.labels(operation).observe(seconds)
    _log(request, answer, seconds)
    return answer.response


def _log(request: web.Request, answer: "_Answer", seconds: float) -> None:
    """Write the request's line; the route is its pattern, so that lines of one operation can be counted together."""
    operation = request.get(OPERATION)
    caller = request.get(CALLER)
    said = {
        "method": request.method,
        "route": operation.path if operation else _NO_OPERATION,
        # The ids in it are looked for; a path that no operation has may be anything.
        "path": request.rel_url.raw_path[:_PATH_CHARS],
        "status": answer.response.status,
        "ms": round(seconds * 1000, 1),
        "request_id": request[REQUEST_ID],
        "user": str(caller.user_id) if caller else None,
        **({"refused": answer.refused} if answer.refused else {}),
        **({"broke_off": answer.broke_off} if answer.broke_off else {}),
    }
    _LOG.log(_level(operation, answer), "request", extra=said, exc_info=answer.error)


def _level(operation: Operation | None, answer: "_Answer") -> int:
    """Return the line's level: what asks again and again whether we live is not worth a line, while we do."""
    if answer.response.status >= _SERVER_ERRORS or answer.broke_off:
        return logging.WARNING if answer.error is None else logging.ERROR
    return logging.DEBUG if operation is not None and operation.name in _PROBES else logging.INFO


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """Add what every answer carries; what a handler has set stays."""
    for name, value in SECURITY.items():
        if name == "Server":
            response.headers[name] = value
        else:
            response.headers.setdefault(name, value)
    if REQUEST_ID in request:
        response.headers["X-Request-Id"] = request[REQUEST_ID]
        request[STARTED] = response


def guarded(operation: Operation) -> _Handler:
    """Wrap an operation's handler: a caller who may not call it never reaches it."""

    async def handle(request: web.Request) -> web.StreamResponse:
        request[OPERATION] = operation
        check_headers(request)
        if operation.access != "public":
            caller = await _admitted(request.app[STATE].access, request)
            _check(operation, caller)
            request[CALLER] = caller
            _check_accept(operation, request)
            if operation.query is None and request.query_string:
                read_query(request, Query)  # which has no fields: whatever is there is not known
            with request.app[STATE].bodies.holding(caller.user_id) as request[HOLD]:
                return await _metered(request.app[STATE].access, caller, operation.handler, request)
        _check_accept(operation, request)
        return await operation.handler(request)

    return handle


def _check_accept(operation: Operation, request: web.Request) -> None:
    """Refuse before anything is done what nobody would take the answer of; which one it is its handler knows.

    Raises:
        NotAcceptableError: The caller takes none of what a success may be.
    """
    if operation.kinds and "Accept" in request.headers:
        acceptable(request.headers.getall("Accept"), operation.kinds)


async def _admitted(access: Access, request: web.Request) -> Caller:
    """Let a caller in, and note what a user's token grants: their workflows have it when they are not there."""
    granted = await access.identity.granted(request)
    if request[OPERATION].counted == "exports" and BY_SESSION in request:
        # It only reads, but leaves a line on the audit trail: no other site's link may leave one in somebody's name.
        access.identity.forgery.check_site(request)
    _limiter(access, request).take(granted.user_id)
    if not granted.is_key:
        await access.notes.note(granted)
    return access.identity.admitted(granted)


def _limiter(access: Access, request: web.Request) -> RateLimiter:
    """Return what a request is counted against: events come in numbers, and a page that is read asks for a lot."""
    operation = request[OPERATION]
    if operation.counted == "events":
        return access.event_requests
    reads = operation.counted == "looks" or (operation.method == "GET" and operation.counted != "exports")
    return access.page_reads if reads and BY_SESSION in request else access.limiter


async def _metered(access: Access, caller: Caller, handler: _Handler, request: web.Request) -> web.StreamResponse:
    """Handle a request with its CPU behind walls counted for the caller."""
    token = METER.set(access.cpu.of(caller.user_id))
    try:
        return await handler(request)
    finally:
        METER.reset(token)


def _check(operation: Operation, caller: Caller) -> None:
    """Refuse a caller who may not call it.

    Raises:
        ForbiddenError: The caller may not; the text says what it would take.
    """
    if operation.access == "admin" and caller.role != "admin":
        raise ForbiddenError("This is for admins")
    if operation.permission is not None and not caller.may(operation.permission):
        raise ForbiddenError(f"This needs the permission {operation.permission}")
    if caller.is_key and not operation.open_to_keys:
        raise ForbiddenError(
            "An API key owns nothing: beside reading, it may only do what one of its permissions opens"
        )


@dataclass(frozen=True, slots=True)
class _Answer:
    """How a request was answered.

    Attributes:
        refused: Why it was not done as asked.
        broke_off: Why it is not whole: it had begun.
        error: What failed in our own code.
    """

    response: web.StreamResponse
    refused: str = ""
    broke_off: str = ""
    error: Exception | None = None


async def _answered(request: web.Request, handler: _Handler) -> _Answer:
    try:
        response = await handler(request)
    except asyncio.CancelledError:
        raise
    except Exception as error:  # noqa: BLE001 - the one place where an error becomes an answer; ours are logged
        if STARTED in request:
            cut_off(request, error)
            return _broken_off(request, request[STARTED])
        problem, known = said(request, error)
        shown = _shown(request, problem)
        return _Answer(shown, _why(error, problem.status)) if known else _Answer(shown, error=error)
    return _broken_off(request, response)


def _shown(request: web.Request, problem: web.Response) -> web.Response:
    """Return a problem as it is, or as the request's page shows it."""
    if ERRORS_SHOWN not in request:
        return problem
    body = problem.body
    assert isinstance(body, bytes)
    return request[ERRORS_SHOWN].by(request, Problem.model_validate_json(body), problem.headers)


def _broken_off(request: web.Request, response: web.StreamResponse) -> _Answer:
    error = broke(request)
    if error is None:
        return _Answer(response)
    problem, known = said(request, error)
    why = _why(error, problem.status) if known else type(error).__name__
    return _Answer(response, broke_off=why, error=None if known else error)


def _why(error: Exception, status: int) -> str:
    if isinstance(error, InvalidError | NotPermittedError):
        return _fields(error.errors)
    if isinstance(error, web.HTTPException):
        return error.reason
    return str(error)[:_LOGGED_CHARS] if status >= _SERVER_ERRORS else _without_values(str(error))


def _fields(errors: Sequence[FieldError]) -> str:
    # Paths and messages only, bounded: what users send is not for the log.
    return _without_values("; ".join(f"{one.path}: {one.message}" for one in errors[:_LOGGED_ERRORS]))


def _without_values(text: str) -> str:
    """Leave out what a message quotes, and long numbers: that is what was sent; the caller sees it in the answer."""
    return _QUOTED.sub("…", text[:_LOOKED_AT_CHARS])[:_LOGGED_CHARS]
