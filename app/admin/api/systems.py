"""What the routes of the reference systems have in common: a transaction a request, and repeatable under a key."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import orjson
from aiohttp import web
from pydantic import BaseModel

from app.admin.auth import ForbiddenError
from app.admin.models import ThingQuery
from app.admin.operations import JSON, Body, Handler, Operation
from app.admin.requests import CALLER, next_cursor, path_id, read_document, read_model, read_query
from app.admin.state import STATE
from app.domain.causation import MAX_LINKS, read_chain
from app.domain.errors import FieldError, InvalidError, NotFoundError
from app.domain.storable import is_storable
from app.ports import HandedOn
from app.ports.systems import Kind, Repository
from app.systems.pages import page_of

CAUSATION_HEADER: Final = "Headrace-Causation"
KEY_HEADER: Final = "Idempotency-Key"
MAX_ID_CHARS: Final = 256
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_NO_CONTENT: Final = 204

Work = Callable[[Repository, Mapping[str, Any], Any], Awaitable[Any]]


def reading(work: Work, query: type[BaseModel] | None = None) -> Handler:
    """Return a handler that answers what ``work`` returns for the repository, the path's values and the query."""

    async def handle(request: web.Request) -> web.Response:
        wanted = read_query(request, query) if query is not None else None
        async with request.app[STATE].systems.open(None) as repo:
            return _json(200, await work(repo, path_values(request), wanted))

    return handle


def listing(kind: Kind, of: str | None = None) -> Handler:
    """Return a handler that lists things, newest first; ``of`` names the value of the path that they belong to."""

    async def handle(request: web.Request) -> web.Response:
        query, at = read_query(request, ThingQuery), path_values(request)
        async with request.app[STATE].systems.open(None) as repo:
            page = await page_of(repo, kind, query, at[of] if of else None)
        return _json(200, {**page, "next_cursor": next_cursor(request, page["next_cursor"])})

    return handle


def changing(work: Work, body: type[BaseModel] | None = None, *, status: int = 200) -> Handler:
    """Return a handler that changes something, in one transaction with its events.

    ``work`` gets the repository, the path's values and the body. Under an ``Idempotency-Key`` the same request is
    carried out once, and answered the same however often it is made.
    """

    async def handle(request: web.Request) -> web.Response:
        at = path_values(request)
        errors = _wrong_key(request)
        asked = written = None
        try:
            if body is not None:
                written = await read_document(request, (JSON,))
                asked = read_model(written, body)
        except InvalidError as error:
            errors = [*error.errors, *errors]
        if errors:
            raise InvalidError(errors)
        key = _key(request)
        async with request.app[STATE].systems.open(_cause(request)) as repo:
            if key is None:
                return _json(status, await work(repo, at, asked))
            known = await repo.recall(key, f"{request.method} {request.rel_url.raw_path}\n".encode(), _sorted(written))
            if known is not None:
                return _json(*known)
            answer = await work(repo, at, asked)
            await repo.remember(key, status, answer)
            return _json(status, answer)

    return handle


def of_customers(*operations: Operation) -> tuple[Operation, ...]:
    """Return operations on what belongs to customers: reading needs ``crm:read``, changing ``crm:write``."""
    return tuple(replace(one, permission="crm:read" if one.method == "GET" else "crm:write") for one in operations)


def json_body(model: type[BaseModel], **example: Any) -> Body:
    """Return what an operation reads, one JSON object, with an example of it."""
    return Body({JSON: (model, False)}, example=example)


def path_values(request: web.Request) -> dict[str, Any]:
    """Read the path's values: ``id`` is a UUID, others are ids of the systems' own.

    Raises:
        NotFoundError: One is no id, so nothing can have it.
    """
    values: dict[str, Any] = {}
    for name, value in request.match_info.items():
        if name == "id":
            values[name] = path_id(request, "thing")
        elif _is_id(value):
            values[name] = value
        else:
            raise NotFoundError(f"There is no such {name}")
    return values


def _is_id(value: str) -> bool:
    return (
        is_storable(value) and 0 < len(value) <= MAX_ID_CHARS and value.splitlines() == [value] and bool(value.strip())
    )


def _key(request: web.Request) -> str | None:
    key = request.headers.get(KEY_HEADER)
    return None if key is None else f"{request[CALLER].user_id}:{key}"


def _sorted(written: Any) -> bytes | None:
    """Return a body as JSON that is the same however its keys stood; None where none was read."""
    return None if written is None else orjson.dumps(written, option=orjson.OPT_SORT_KEYS)


def _wrong_key(request: web.Request) -> list[FieldError]:
    if KEY_HEADER not in request.headers or _KEY.fullmatch(request.headers[KEY_HEADER]):
        return []
    return [FieldError(KEY_HEADER, "must be 1 to 255 visible ASCII characters")]


def _cause(request: web.Request) -> HandedOn:
    """Read what led to the change.

    Raises:
        ForbiddenError: The caller may not send events: a chain that names a workflow often enough keeps it from
            starting.
    """
    if CAUSATION_HEADER in request.headers and not request[CALLER].may("events:write"):
        raise ForbiddenError(f"{CAUSATION_HEADER} needs the permission events:write")
    links = read_chain(request.headers.get(CAUSATION_HEADER))[-MAX_LINKS:]
    return HandedOn(",".join(map(str, links)) or None)


def _json(status: int, answer: Any) -> web.Response:
    if status == _NO_CONTENT:
        return web.Response(status=status)
    return web.Response(body=orjson.dumps(answer), status=status, content_type=JSON)
