"""The list of workflows: what starts each, whether it is on, how it did of late, and what was done last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from aiohttp import web

from app.admin.models import WorkflowQuery
from app.admin.pages.declared import page
from app.admin.pages.lists import asked, link, next_page
from app.admin.pages.rendering import rendered
from app.admin.pages.triggers import event_in_words
from app.admin.pages.workflows.addresses import ROOT, list_of
from app.admin.pages.workflows.bars import Bar, bar_of
from app.admin.pages.workflows.beginnings import does_nothing
from app.admin.pages.workflows.notices import notice
from app.admin.pages.workflows.people import people
from app.admin.requests import CALLER
from app.admin.state import STATE
from app.ports.workflows import WorkflowFilter
from app.services.ingest.event_samples import SAMPLE_TYPES
from schemas.workflow import Workflow

_ROWS: Final = "25"
_SORTS: Final = (
    ("-created_at", "Newest first"),
    ("name", "Name"),
    ("-last_run_at", "Ran last"),
    ("-updated_at", "Changed last"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A workflow as the list shows it.

    Attributes:
        owner: As administrators see it.
        empty: It has no steps yet.
    """

    one: Workflow
    bar: Bar
    owner: str
    empty: bool


async def show_workflows(request: web.Request) -> web.Response:
    """Show the caller's workflows; to administrators everybody's."""
    query, given, wrong = asked(request, WorkflowQuery, limit=_ROWS)
    wanted = WorkflowFilter(**query.model_dump(exclude={"limit", "cursor"}))
    found = await request.app[STATE].workflows.find(request[CALLER], wanted, query.cursor, query.limit)
    owners = await people(request, [query.owner] if query.owner else [])
    return rendered(
        request,
        "workflows/list.html",
        rows=await _rows(request, found.items),
        given=given,
        wrong=wrong,
        words=_in_words(query, owners),
        types=_types(query.trigger_type),
        sorts=_SORTS,
        sort=query.sort,
        here=list_of(request),
        notice=await notice(request),
        first=link(ROOT, given) if query.cursor else None,
        next=next_page(request, ROOT, given, found.next_cursor),
        whole=ROOT,
        deleted=query.deleted,
    )


async def _rows(request: web.Request, workflows: Sequence[Workflow]) -> list[Row]:
    state, caller = request.app[STATE], request[CALLER]
    runs = await state.runs.recent.of(caller, [one.id for one in workflows], datetime.now(UTC))
    owners = await people(request, {one.created_by for one in workflows} if caller.role == "admin" else ())
    return [Row(one, bar_of(runs[one.id]), owners.get(one.created_by, ""), does_nothing(one)) for one in workflows]


def _in_words(query: WorkflowQuery, owners: Mapping[UUID, str]) -> list[str]:
    """Say what the list is filtered by, a phrase each."""
    said = [
        "that are deleted" if query.deleted else "",
        {True: "that are on", False: "that are off", None: ""}[query.active],
        f"that start with “{event_in_words(query.trigger_type)}”" if query.trigger_type else "",
        {True: "with a draft", False: "without a draft", None: ""}[query.draft],
        f"with “{query.search}” in name or description" if query.search else "",
        f"of {owners.get(query.owner, query.owner)}" if query.owner else "",
    ]
    return [one for one in said if one]


def _types(chosen: str | None) -> list[tuple[str, str]]:
    """Return the event types that can be chosen, with their words; one's own among them where it is chosen."""
    names = dict.fromkeys([*SAMPLE_TYPES[:-1], *([chosen] if chosen else [])])
    return [(name, event_in_words(name)) for name in names]


PAGES: Final = (page(ROOT, "workflowsPage", "Workflows", show_workflows),)
