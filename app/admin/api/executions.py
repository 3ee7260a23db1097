"""``/api/v1/executions``: what ran, what did not, and why."""

from dataclasses import replace
from typing import Final

from aiohttp import web

from app.admin.execution_models import (
    CancelledView,
    ExecutionChoice,
    ExecutionPage,
    ExecutionQuery,
    RetryStarted,
    WaitingPage,
    WaitingQuery,
)
from app.admin.operations import Operation
from app.admin.requests import CALLER, answer, next_cursor, path_id, read_query
from app.admin.state import STATE
from app.domain.paging import read_cursor
from app.ports.executions import ExecutionDetail, ExecutionFilter

_ROOT: Final = "/api/v1/executions"


def chosen(query: ExecutionChoice) -> ExecutionFilter:
    """Return the filter that a query asks for, without bounds of time."""
    return ExecutionFilter(
        workflow_id=query.workflow_id,
        statuses=query.statuses,
        event_type=query.event_type,
        entity=query.entity,
        event_id=query.event_id,
        search=query.search,
    )


async def list_executions(request: web.Request) -> web.Response:
    """List executions of the caller's workflows; those of one event with what was not processed of it."""
    query = read_query(request, ExecutionQuery)
    since, until = query.since, query.until
    wanted = replace(chosen(query), since=since, until=until, oldest_first=query.sort == "executed_at")
    state, caller = request.app[STATE], request[CALLER]
    page = await state.runs.executions.find(caller, wanted, read_cursor(query.cursor), query.limit)
    letters = []
    if query.event_id is not None and query.cursor is None:
        letters = await state.dead_letters.of_event(caller, query.event_id)
    return answer(
        ExecutionPage(items=list(page.items), next_cursor=next_cursor(request, page.next_cursor), dead_letters=letters)
    )


async def list_waiting(request: web.Request) -> web.Response:
    """List executions that wait, of the caller's workflows."""
    query = read_query(request, WaitingQuery)
    page = await request.app[STATE].runs.waiting.find(
        request[CALLER], query.workflow_id, query.entity, read_cursor(query.cursor), query.limit
    )
    return answer(WaitingPage(items=list(page.items), next_cursor=next_cursor(request, page.next_cursor)))


async def get_execution(request: web.Request) -> web.Response:
    """Show one in full, with why it ran or did not."""
    return answer(await request.app[STATE].runs.executions.get(request[CALLER], path_id(request, "execution")))


async def cancel_execution(request: web.Request) -> web.Response:
    """End one that waits; the steps that remain are skipped."""
    cancelled = await request.app[STATE].runs.cancelling.one(request[CALLER], path_id(request, "execution"))
    return answer(CancelledView(cancelled=cancelled))


async def retry_execution(request: web.Request) -> web.Response:
    """Start the next attempt at one that failed, from its first step that was no success."""
    retried = await request.app[STATE].runs.retries.retry(request[CALLER], path_id(request, "execution"))
    return answer(RetryStarted.model_validate(retried, from_attributes=True), 202)


OPERATIONS: Final = (
    Operation(
        "GET", _ROOT, "listExecutions", "List executions, newest first unless asked otherwise", list_executions,
        {200: ExecutionPage}, tag="executions", query=ExecutionQuery,
    ),
    Operation(  # before the one that takes any id
        "GET", f"{_ROOT}/waiting", "listWaiting", "List executions that wait for a delay or a retry", list_waiting,
        {200: WaitingPage}, tag="executions", query=WaitingQuery,
    ),
    Operation(
        "GET", f"{_ROOT}/{{id}}", "getExecution", "Show an execution: event, verdicts, results, and why",
        get_execution, {200: ExecutionDetail}, tag="executions",
    ),
    Operation(
        "POST", f"{_ROOT}/{{id}}/cancel", "cancelExecution", "End an execution that waits", cancel_execution,
        {200: CancelledView}, tag="executions", conflicts=True,
    ),
    Operation(
        "POST", f"{_ROOT}/{{id}}/retry", "retryExecution", "Retry a failed execution from the step that failed",
        retry_execution, {202: RetryStarted}, tag="executions", conflicts=True,
    ),
)  # fmt: skip
