"""``/workflows/new/event``: a workflow for what has happened: it starts with the same, under what one chooses of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import orjson
from aiohttp import web
from pydantic import Field

from app.admin.event_models import RecentEventsQuery
from app.admin.pages.declared import form, page
from app.admin.pages.forms import FORM, one_of_each, said_at, see_other
from app.admin.pages.lists import asked
from app.admin.pages.rendering import rendered
from app.admin.pages.triggers import event_in_words
from app.admin.pages.workflows.addresses import NEW, editor
from app.admin.pages.workflows.beginnings import begin
from app.admin.pages.workflows.proposing import proposed
from app.admin.queries import Text
from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.condition_words import condition_words
from app.domain.errors import InvalidError
from app.services.ingest.event_samples import SAMPLE_TYPES
from app.services.operations.event_finding import LOOKED_BACK, Sought
from schemas.event_types import is_own_type
from schemas.moments import Moment

_PATH: Final = f"{NEW}/event"
_ROWS: Final = "20"
# An event's time is rounded on its way here.
_BEFORE: Final = timedelta(seconds=1)


class ChoosingQuery(RecentEventsQuery):
    """Which events to choose from, and which one is chosen."""

    event_source: Annotated[str | None, Field(max_length=1024)] = None
    event_id: Text = None
    since: Moment | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that can be chosen: as the form sends it, and in words."""

    sent: str
    words: str
    chosen: bool


async def show_events(request: web.Request) -> web.Response:
    """Show recent events to choose from, or what the chosen one proposes."""
    query, given, wrong = asked(request, ChoosingQuery, limit=_ROWS)
    if query.event_source and query.event_id:
        return await _chosen(request, query, query.event_source, query.event_id)
    found = await request.app[STATE].events.recent(request[CALLER], query.type, query.entity, query.limit)
    rows = [
        (one, _link(one.source, one.id, one.entity, one.received_at))
        for one in found.items
        if one.event is not None and one.type and one.source and one.id and not is_own_type(one.type)
    ]
    types = [(one, event_in_words(one)) for one in SAMPLE_TYPES if not is_own_type(one)]
    return rendered(
        request, "workflows/events.html", rows=rows, given=given, wrong=wrong, types=types, words=_in_words(query),
        complete=found.complete, whole=_PATH,
    )  # fmt: skip


def _in_words(query: ChoosingQuery) -> list[str]:
    said = [f"of “{event_in_words(query.type)}”" if query.type else "", f"about {query.entity}" if query.entity else ""]
    return [one for one in said if one]


def _link(source: str, event_id: str, entity: str | None, at: datetime | None) -> str:
    said = {"event_source": source, "event_id": event_id, "entity": entity or ""}
    since = {"since": (at.astimezone(UTC) - _BEFORE).isoformat()} if at else {}
    return f"{_PATH}?{urlencode({**said, **since})}"


async def _chosen(request: web.Request, query: ChoosingQuery, source: str, event_id: str) -> web.Response:
    since = query.since or datetime.now(UTC) - LOOKED_BACK
    sought = Sought(source, event_id, since, query.entity)
    event = await request.app[STATE].events.event(request[CALLER], sought)
    conditions = [
        Condition(orjson.dumps(one).decode(), condition_words([one]), chosen=number == 0)
        for number, one in enumerate(proposed(event.get("data")))
    ]
    said = {"name": event_in_words(str(event["type"])), "type": str(event["type"])}
    return _shown(request, said, conditions, {})


def _shown(
    request: web.Request, said: Mapping[str, str], conditions: Sequence[Condition], wrong: Mapping[str, str]
) -> web.Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return rendered(
        request, "workflows/event.html", status=status, said=said, conditions=conditions, wrong=wrong, others=_PATH
    )


async def begin_from_event(request: web.Request) -> web.Response:
    """Begin a workflow that starts with what happened, under the conditions that were chosen."""
    said, offered = one_of_each(request), request[FORM].get("offered", [])
    chosen = request[FORM].get("condition", [])
    try:
        made = await begin(request, said.get("name", ""), said.get("type", ""), [_read(one) for one in chosen])
    except InvalidError as error:
        wrong = {path.partition("[")[0]: message for path, message in said_at(error).items()}
        wrong |= {"name": "A workflow needs a name, of at most 255 characters."} if "name" in wrong else {}
        shown = [Condition(one, condition_words([_read(one)]), one in chosen) for one in offered]
        return _shown(request, said, shown, wrong)
    return see_other(editor(made.id))


def _read(sent: str) -> Any:
    try:
        return orjson.loads(sent)
    except orjson.JSONDecodeError:
        return {}


PAGES: Final = (
    page(_PATH, "workflowFromEventPage", "A workflow from an event", show_events, permission="crm:read"),
    form(
        _PATH, "workflowFromEventForm", "Begin a workflow from an event", begin_from_event,
        permission="crm:read", conflicts=True,
    ),
)  # fmt: skip
