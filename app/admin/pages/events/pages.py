"""``/events``: the newest of the topics; and one of them, with a row for every workflow of its type."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from app.admin.cursors import MARK_CHARS
from app.admin.event_models import RecentEventsQuery
from app.admin.pages.declared import page
from app.admin.pages.events.addresses import ONE, ROOT, event_path, looked_up, made_from, path_of, tried_in
from app.admin.pages.events.fates import outcome_of, rows_of
from app.admin.pages.events.tree import lines_of
from app.admin.pages.lists import asked, link, next_page
from app.admin.pages.rendering import rendered
from app.admin.queries import Query, Text
from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.errors import NotFoundError, UnreachableError
from app.ports.executions import ExecutionFilter
from app.services.ingest.event_samples import SAMPLE_TYPES
from app.services.operations.event_cursor import MAX_CHARS, read_cursor
from app.services.operations.event_finding import LOOKED_BACK, EventLookup, Sought
from app.services.operations.event_report import EventReport
from schemas.moments import Moment

_ROWS: Final = "30"
_FURTHER: Final = (("the last 7 days", timedelta(days=7)), ("the last 30 days", timedelta(days=30)))


class EventQuery(Query):
    """Which event to show, as the API's lookup; a link may know its id alone, and the log tells the source."""

    id: Annotated[str, Field(max_length=256)] = ""
    source: Annotated[str | None, Field(min_length=1, max_length=1024)] = None
    since: Moment | None = None
    entity: Text = None
    cursor: Annotated[str | None, Field(max_length=MARK_CHARS + MAX_CHARS)] = None


class IdQuery(Query):
    """Of an address that names an event by its id: where it comes from."""

    source: Annotated[str | None, Field(min_length=1, max_length=1024)] = None


async def show_events(request: web.Request) -> web.Response:
    """Show the newest, by type and customer."""
    query, given, wrong = asked(request, RecentEventsQuery, limit=_ROWS)
    state = request.app[STATE]
    shown: dict[str, Any] = {"given": given, "wrong": wrong, "words": list(_in_words(query)), "whole": ROOT}
    shown["types"] = sorted({*SAMPLE_TYPES, *state.event_types.latest().types})
    try:
        found = await state.events.recent(request[CALLER], query.type, query.entity, query.limit)
    except UnreachableError:
        return _list(request, unreachable=True, rows=[], complete=False, **shown)
    rows = [(one, path_of(one), outcome_of(one)) for one in found.items]
    return _list(request, unreachable=False, rows=rows, complete=found.complete, **shown)


def _list(request: web.Request, *, unreachable: bool, **shown: Any) -> web.Response:
    status = HTTPStatus.SERVICE_UNAVAILABLE if unreachable else HTTPStatus.OK
    return rendered(request, "events/list.html", status=status, unreachable=unreachable, **shown)


def _in_words(query: RecentEventsQuery) -> Iterator[str]:
    if query.type:
        yield f"of the type {query.type}"
    if query.entity:
        yield f"about {query.entity}"


async def show_named(request: web.Request) -> web.Response:
    """Lead on to an event that an address names by its id."""
    query, _, _ = asked(request, IdQuery)
    event_id = request.match_info["event"]
    found = event_path(query.source, event_id) if query.source else link(ONE, {"id": event_id})
    return web.Response(status=HTTPStatus.FOUND, headers={"Location": found}, text="")


async def show_event(request: web.Request) -> web.Response:
    """Show one event, and what every workflow of its type made of it."""
    query, given, wrong = asked(request, EventQuery)
    if not query.id:
        raise NotFoundError("The address names no event")
    if query.source is None:
        return await _of_id(request, query.id)
    sought = Sought(query.source, query.id, query.since or datetime.now(UTC) - LOOKED_BACK, query.entity)
    try:
        looked = await request.app[STATE].events.lookup(request[CALLER], sought, read_cursor(query.cursor))
    except UnreachableError:
        return rendered(
            request, "events/unreachable.html", status=HTTPStatus.SERVICE_UNAVAILABLE, given=given, here=request.path_qs
        )
    if looked.event is None:
        return _not_there(request, looked, given)
    return _found(request, looked.event, wrong)


async def _of_id(request: web.Request, event_id: str) -> web.Response:
    """Lead on to an event of which only the id is known, where the log has an execution of it; else ask."""
    executions, caller = request.app[STATE].runs.executions, request[CALLER]
    found = (await executions.find(caller, ExecutionFilter(event_id=event_id), None, 1)).items
    if not found:
        return rendered(request, "events/asked.html", event_id=event_id)
    source = (await executions.get(caller, found[0].id)).event.get("source")
    path = event_path(str(source), event_id, found[0].executed_at - LOOKED_BACK, found[0].entity)
    return web.Response(status=HTTPStatus.FOUND, headers={"Location": path}, text="")


def _not_there(request: web.Request, looked: EventLookup, given: dict[str, str]) -> web.Response:
    """Say how far was looked: that there is no such event only where all was read to its end."""
    unfinished = looked.outcome == "unfinished"
    now = datetime.now(UTC)
    further = [
        (words, link(ONE, given, since=(now - span).isoformat(timespec="seconds")))
        for words, span in _FURTHER
        if now - span < looked.since
    ]
    return rendered(
        request,
        "events/missing.html",
        status=HTTPStatus.OK if unfinished else HTTPStatus.NOT_FOUND,
        looked=looked,
        unfinished=unfinished,
        given=given,
        further=further,
        go_on=next_page(request, ONE, given, looked.next_cursor),
    )


def _found(request: web.Request, report: EventReport, wrong: dict[str, str]) -> web.Response:
    event = report.event or {}
    rows = rows_of(report)
    return rendered(
        request,
        "events/one.html",
        one=report,
        wrong=wrong,
        rows=[(row, tried_in(row.verdict.workflow_id, report)) for row in rows],
        outcome=outcome_of(report),
        lines=list(lines_of(event.get("data"))),
        envelope=[(name, value) for name, value in event.items() if name != "data"],
        whole=looked_up(report),
        make=made_from(report),
    )


PAGES: Final = (
    page(ROOT, "eventsPage", "Events", show_events, permission="crm:read"),
    page(ONE, "eventPage", "An event", show_event, permission="crm:read"),
    page(f"{ROOT}/{{event}}", "eventOfIdPage", "An event by its id", show_named, permission="crm:read"),
)
