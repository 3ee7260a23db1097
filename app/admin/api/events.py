"""``/api/v1/events``: the HTTP way in, in the content modes of the CloudEvents HTTP binding 1.0.2; and what is there.

Events hold personal data of customers: who may see them is who may read customers, ``crm:read``.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote

from aiohttp import web

from app.admin.event_models import EventLookupQuery, RecentEventsQuery
from app.admin.examples import EVENT
from app.admin.limits import MIB
from app.admin.models import Accepted
from app.admin.operations import JSON, Body, Operation
from app.admin.requests import CALLER, answer, next_cursor, read_json, read_query
from app.admin.state import STATE
from app.domain.errors import FieldError, InvalidError
from app.services.operations.event_cursor import read_cursor
from app.services.operations.event_finding import LOOKED_BACK, EventLookup, RecentEvents, Sought
from schemas.attributes import declares_json
from schemas.event import Event

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
MAX_BATCH: Final = 1000
MAX_BATCH_BYTES: Final = 8 * MIB
_PATH: Final = "/api/v1/events"
_PREFIX: Final = "ce-"


async def ingest_events(request: web.Request) -> web.Response:
    """Take one event or a batch; 202 means that Kafka has them all for good."""
    body = await read_json(request, _accepted(request))
    emitter = request.app[STATE].emitter
    if _is_batch(request, body):
        batch = _batch(body)
        _count(request, len(batch))
        return answer(Accepted(ids=await emitter.emit_many(batch)), 202)
    _count(request, 1)
    event = _binary(request, body) if _is_binary(request) else body
    return answer(Accepted(ids=[await emitter.emit(event)]), 202)


async def list_recent_events(request: web.Request) -> web.Response:
    """Show the newest events, with each workflow's verdict."""
    query = read_query(request, RecentEventsQuery)
    events = request.app[STATE].events
    return answer(await events.recent(request[CALLER], query.type, query.entity, query.limit))


async def look_event_up(request: web.Request) -> web.Response:
    """Find one event, and say what became of it."""
    query = read_query(request, EventLookupQuery)
    since = query.since or datetime.now(UTC) - LOOKED_BACK
    begun = read_cursor(query.cursor)
    events = request.app[STATE].events
    sought = Sought(query.source, query.id, since, query.entity)
    looked = await events.lookup(request[CALLER], sought, begun)
    return answer(looked.model_copy(update={"next_cursor": next_cursor(request, looked.next_cursor)}))


def _count(request: web.Request, events: int) -> None:
    """Count events of a sender; an administrator has no limit.

    Raises:
        RateLimitedError: They are too many: none of them is taken.
    """
    caller = request[CALLER]
    if caller.role != "admin":
        request.app[STATE].access.events.take(caller.user_id, events)


def _accepted(request: web.Request) -> Sequence[str]:
    """Return which content types are read: in binary mode every one of JSON, as from Kafka."""
    read = (STRUCTURED, BATCH, JSON)
    return (*read, request.content_type) if _is_binary(request) else read


def _is_binary(request: web.Request) -> bool:
    kind = request.content_type
    other = kind not in {STRUCTURED, BATCH} and declares_json(kind)
    return other and any(name.lower().startswith(_PREFIX) for name in request.headers)


def _is_batch(request: web.Request, body: Any) -> bool:
    if request.content_type == JSON:
        return isinstance(body, list) and not _is_binary(request)
    return request.content_type == BATCH


def _batch(body: Any) -> list[Any]:
    if not isinstance(body, list):
        raise InvalidError([FieldError("", "a batch is a JSON array of events")])
    if not 1 <= len(body) <= MAX_BATCH:
        raise InvalidError([FieldError("", f"a batch has 1 to {MAX_BATCH} events, this one has {len(body)}")])
    return body


def _binary(request: web.Request, data: Any) -> dict[str, Any]:
    """Binary mode: attributes are ``ce-`` headers, percent-encoded; the body is ``data``."""
    event: dict[str, Any] = {}
    for name, value in request.headers.items():
        attribute = name.lower().removeprefix(_PREFIX)
        if attribute == name.lower():
            continue
        if attribute in event:
            raise InvalidError([FieldError(attribute, "is given more than once")])
        event[attribute] = unquote(value)
    return {**event, "datacontenttype": request.content_type, "data": data}


OPERATIONS: Final = (
    Operation(
        "GET",
        _PATH,
        "listRecentEvents",
        "Show the newest events of the topics, with each workflow's verdict on them",
        list_recent_events,
        {200: RecentEvents},
        tag="events",
        permission="crm:read",
        query=RecentEventsQuery,
    ),
    Operation(
        "GET",
        f"{_PATH}/lookup",
        "lookUpEvent",
        "Find one event in the topics, and say what became of it for every workflow of its type",
        look_event_up,
        {200: EventLookup},
        tag="events",
        permission="crm:read",
        query=EventLookupQuery,
    ),
    Operation(
        "POST",
        _PATH,
        "ingestEvents",
        "Take one event or up to 1,000; 202 once Kafka has them for good",
        ingest_events,
        {202: Accepted},
        tag="events",
        permission="events:write",
        counted="events",
        body=Body(
            {STRUCTURED: (Event, False), BATCH: (Event, True), JSON: (Event, False)},
            most=MAX_BATCH_BYTES,
            example=EVENT,
        ),
    ),
)
