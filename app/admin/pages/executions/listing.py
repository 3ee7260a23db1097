"""The list of executions that ended: filtered, followed as it grows, exported; and retrying several of them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from aiohttp import web

from app.admin.pages.declared import form, page
from app.admin.pages.executions.chosen import do_to_chosen
from app.admin.pages.executions.filters import ExecutionListQuery
from app.admin.pages.lists import asked, link, next_page
from app.admin.pages.rendering import rendered
from app.admin.pages.statuses import STATUSES, filters_in_words, looks
from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.errors import NotFoundError
from app.domain.paging import Position, read_cursor
from app.domain.statuses import RETRYABLE
from app.ports.executions import ExecutionFilter, ExecutionSummary
from app.ports.workflows import WorkflowFilter
from schemas.workflow import Workflow

ROOT: Final = "/executions"
ROWS: Final = 50
_WORKFLOWS: Final = 100
_MORE: Final = frozenset({"from", "to", "event_id", "search"})
_COUNT: Final = re.compile(r"[1-9][0-9]{0,2}")


async def show_executions(request: web.Request) -> web.Response:
    """Show those that ended."""
    query, given, wrong = asked(request, ExecutionListQuery, limit=str(ROWS))
    state, caller, now = request.app[STATE], request[CALLER], datetime.now(UTC)
    wanted = query.wanted(now)
    found = await state.runs.executions.find(caller, wanted, read_cursor(query.cursor), query.limit)
    workflows = await _workflows(request, query)
    workflow = next((one for one in workflows if one.id == query.workflow_id), None)
    name = workflow.name if workflow else str(query.workflow_id) if query.workflow_id else None
    return rendered(
        request,
        "executions/list.html",
        rows=found.items,
        given=given,
        wrong=wrong,
        chosen=query.statuses,
        words=filters_in_words(query, name),
        workflow=workflow,
        workflows=workflows,
        letters=await _letters(request, query),
        statuses=STATUSES,
        times=query.fields,
        more=bool(given.keys() & _MORE),
        live=_live(query),
        export=query.exported(now),
        retryable=RETRYABLE,
        did=request.query.get("did", ""),
        count=_count(request.query.get("count", "")),
        filters=link("", given).removeprefix("?"),
        first=link(ROOT, given) if query.cursor else None,
        next=next_page(request, ROOT, given, found.next_cursor),
        after=next_page(request, ROOT, given, found.next_cursor or _end(found.items, now)),
        whole=ROOT,
    )


def _live(query: ExecutionListQuery) -> dict[str, Any] | None:
    """Return what the element that follows the list needs; None where the list does not grow at its top."""
    return {"query": query.followed(), "most": ROWS, "looks": looks()} if query.is_live else None


def _end(rows: Sequence[ExecutionSummary], now: datetime) -> str:
    """Return where the next page would begin, if newer rows pushed out any: the script that follows the list knows."""
    return (Position(rows[-1].executed_at, rows[-1].id) if rows else Position(now, UUID(int=0))).cursor()


def _count(text: str) -> int:
    return int(text) if _COUNT.fullmatch(text) else 0


async def _workflows(request: web.Request, query: ExecutionListQuery) -> list[Workflow]:
    """Return the workflows to choose from; the one that is chosen is among them, unless it is gone."""
    state, caller = request.app[STATE], request[CALLER]
    page_of_them = await state.workflows.find(caller, WorkflowFilter(sort="name"), None, _WORKFLOWS)
    known = list(page_of_them.items)
    if query.workflow_id is not None and all(one.id != query.workflow_id for one in known):
        try:
            known.append(await state.workflows.get(caller, query.workflow_id))
        except NotFoundError:
            return known
    return known


async def _letters(request: web.Request, query: ExecutionListQuery) -> list[Any]:
    """Return what was not processed of the event that the list is of."""
    if query.event_id is None or query.cursor is not None:
        return []
    return list(await request.app[STATE].dead_letters.of_event(request[CALLER], query.event_id))


async def newest(request: web.Request, count: int) -> list[Any]:
    """Return the newest executions."""
    found = await request.app[STATE].runs.executions.find(request[CALLER], ExecutionFilter(), None, count)
    return list(found.items)


async def retry_chosen(request: web.Request) -> web.Response:
    """Retry those that were chosen."""
    state, caller = request.app[STATE], request[CALLER]
    return await do_to_chosen(request, ROOT, "retried", lambda one: state.runs.retries.retry(caller, one))


PAGES: Final = (
    page(ROOT, "executionsPage", "Executions", show_executions),
    form(f"{ROOT}/retry", "retryChosenForm", "Retry several executions", retry_chosen, conflicts=True),
)
