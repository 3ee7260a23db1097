"""``/executions``: what ran, what did not and why; what waits; and one of them in full."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

import orjson
from aiohttp import web
from pydantic import Field

from app.admin.api.executions import chosen
from app.admin.execution_models import ExecutionQuery, WaitingQuery
from app.admin.pages.declared import form, page
from app.admin.pages.forms import see_other
from app.admin.pages.lists import asked, link, next_page
from app.admin.pages.rendering import rendered
from app.admin.pages.statuses import STATUSES, filters_in_words
from app.admin.requests import CALLER, path_id
from app.admin.state import STATE
from app.domain.errors import NotFoundError
from app.domain.paging import read_cursor
from app.domain.statuses import RETRYABLE
from app.ports.executions import ExecutionFilter

_ROOT: Final = "/executions"
_ROWS: Final = "50"
_SPANS: Final = {"15m": timedelta(minutes=15), "24h": timedelta(days=1), "7d": timedelta(days=7)}


class ExecutionListQuery(ExecutionQuery):
    """As the API's, with a span of time that ends now."""

    last: Annotated[Literal["15m", "24h", "7d"] | None, Field(description="How far back")] = None

    def wanted(self, now: datetime) -> ExecutionFilter:
        """Return the filter."""
        since = now - _SPANS[self.last] if self.last else self.since
        return replace(chosen(self), since=since, until=self.until, oldest_first=self.sort == "executed_at")


async def show_executions(request: web.Request) -> web.Response:
    """Show those that ended."""
    query, given, wrong = asked(request, ExecutionListQuery, limit=_ROWS)
    state, caller = request.app[STATE], request[CALLER]
    found = await state.runs.executions.find(
        caller, query.wanted(datetime.now(UTC)), read_cursor(query.cursor), query.limit
    )
    workflow = await _name_of(request, query)
    rest = {name: value for name, value in given.items() if name != "cursor"}
    return rendered(
        request,
        "executions/list.html",
        rows=found.items,
        given=rest,
        wrong=wrong,
        chosen=query.statuses,
        words=filters_in_words(query, workflow),
        workflow=workflow,
        statuses=STATUSES,
        first=link(_ROOT, rest) if query.cursor else None,
        next=next_page(request, _ROOT, rest, found.next_cursor),
        whole=_ROOT,
    )


async def _name_of(request: web.Request, query: ExecutionQuery) -> str | None:
    """Return the name of the workflow that the list is of; its id where the workflow is gone."""
    if query.workflow_id is None:
        return None
    try:
        return (await request.app[STATE].workflows.get(request[CALLER], query.workflow_id)).name
    except NotFoundError:
        return str(query.workflow_id)


async def show_waiting(request: web.Request) -> web.Response:
    """Show those that wait."""
    query, given, wrong = asked(request, WaitingQuery, limit=_ROWS)
    found = await request.app[STATE].runs.waiting.find(
        request[CALLER], query.workflow_id, query.entity, read_cursor(query.cursor), query.limit
    )
    rest = {name: value for name, value in given.items() if name != "cursor"}
    path = f"{_ROOT}/waiting"
    return rendered(
        request,
        "executions/waiting.html",
        rows=found.items,
        given=rest,
        wrong=wrong,
        first=link(path, rest) if query.cursor else None,
        next=next_page(request, path, rest, found.next_cursor),
        whole=path,
    )


async def show_execution(request: web.Request) -> web.Response:
    """Show one in full."""
    one = await request.app[STATE].runs.executions.get(request[CALLER], path_id(request, "execution"))
    raw = orjson.dumps(one.written(), option=orjson.OPT_INDENT_2, default=_plain).decode()
    return rendered(
        request, "executions/one.html", one=one, raw=raw, retryable=one.status in RETRYABLE, statuses=STATUSES
    )


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json")


async def retry(request: web.Request) -> web.Response:
    """Begin the next attempt, and show it."""
    found = await request.app[STATE].runs.retries.retry(request[CALLER], path_id(request, "execution"))
    return see_other(f"{_ROOT}/{found.execution_id}")


async def cancel(request: web.Request) -> web.Response:
    """End one that waits, and show what waits still."""
    await request.app[STATE].runs.cancelling.one(request[CALLER], path_id(request, "execution"))
    return see_other(f"{_ROOT}/waiting")


PAGES: Final = (
    page(_ROOT, "executionsPage", "Executions", show_executions),
    page(f"{_ROOT}/waiting", "waitingPage", "Executions that wait", show_waiting),
    page(f"{_ROOT}/{{id}}", "executionPage", "An execution", show_execution),
    form(f"{_ROOT}/{{id}}/retry", "retryForm", "Retry an execution", retry, conflicts=True),
    form(f"{_ROOT}/{{id}}/cancel", "cancelForm", "Cancel an execution", cancel, conflicts=True),
)
