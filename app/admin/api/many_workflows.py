"""Many workflows at once: the same done to each, and all of them as lines that ``workflows apply`` takes."""

from collections.abc import AsyncIterator
from typing import Any, Final

import orjson
from aiohttp import web

from app.admin.api.exports import exported
from app.admin.bulk_models import BulkAnswer, BulkItem, BulkRequest, ExportedWorkflow, ExportQuery
from app.admin.operations import JSON, Body, Operation
from app.admin.problems import problem_for
from app.admin.requests import CALLER, answer, read_document, read_model, read_query
from app.admin.state import STATE
from app.domain.callers import Caller
from app.domain.written_workflow import WRITTEN
from app.ports.workflows import WorkflowFilter
from app.services.operations.bulk import Done
from app.services.workflows.lifecycle import WorkflowService
from schemas.problem import ProblemError
from schemas.workflow import Workflow

_ROOT: Final = "/api/v1/workflows"
JSONL: Final = "application/jsonl"
_PAGE: Final = 50


async def change_many(request: web.Request) -> web.Response:
    """Do the same to many; each has an answer of its own."""
    wanted = read_model(await read_document(request, (JSON,)), BulkRequest)
    done = await request.app[STATE].editing.bulk.do(request[CALLER], wanted.ids, wanted.do, wanted.waiting)
    return answer(BulkAnswer(items=[_item(one, request.path) for one in done]))


async def export_workflows(request: web.Request) -> web.StreamResponse:
    """Send workflows line by line, page after page: none is held longer than it takes to send it."""
    query = read_query(request, ExportQuery)
    wanted = WorkflowFilter(active=query.active, trigger_type=query.trigger_type, search=query.search)
    lines = _lines(request.app[STATE].workflows, request[CALLER], wanted, query)
    first = await anext(lines, None)  # what is wrong is told while there still is a status to tell it by
    if request.method != "HEAD":
        await request.app[STATE].access.trail.note(request[CALLER], exported("workflows", query, "jsonl"))
    response = web.StreamResponse(headers={"Content-Disposition": 'attachment; filename="workflows.jsonl"'})
    response.content_type = JSONL
    await response.prepare(request)
    if first is not None:
        await response.write(first)
        async for line in lines:
            await response.write(line)
    await response.write_eof()
    return response


async def _lines(
    workflows: WorkflowService, caller: Caller, wanted: WorkflowFilter, query: ExportQuery
) -> AsyncIterator[bytes]:
    cursor: str | None = None
    ids = query.chosen
    while True:
        page = await workflows.find(caller, wanted, cursor, _PAGE)
        for workflow in page.items:
            if ids is None or workflow.id in ids:
                yield _line(workflow)
        cursor = page.next_cursor
        if cursor is None:
            return


def _line(workflow: Workflow) -> bytes:
    body: dict[str, Any] = {"id": workflow.id, "active": workflow.active}
    body |= workflow.model_dump(mode="json", include=set(WRITTEN))
    return orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)


def _item(done: Done, instance: str) -> BulkItem:
    if done.refused is None:
        version = None if done.workflow is None else done.workflow.version
        return BulkItem(id=done.id, status=200, version=version)
    problem = problem_for(done.refused, instance)
    assert problem is not None, "what bulk catches are errors that the API tells"
    errors = [ProblemError(path=one.path, message=one.message) for one in getattr(done.refused, "errors", ())]
    return BulkItem(id=done.id, status=problem.status, detail=str(done.refused), errors=errors)


_BULK: Final = Body(
    {JSON: (BulkRequest, False)},
    example={"ids": ["5f0c1e2a-6f0e-4a8e-9b1c-2f4c7c0e8a11"], "do": "deactivate", "waiting": "finish"},
)

OPERATIONS: Final = (
    Operation(
        "POST", f"{_ROOT}/bulk", "changeManyWorkflows", "Switch many workflows on or off, delete or restore them",
        change_many, {200: BulkAnswer}, tag="workflows", body=_BULK,
    ),
    Operation(
        "GET", f"{_ROOT}/export", "exportWorkflows", "Export workflows as lines of JSON", export_workflows,
        {200: ExportedWorkflow}, tag="workflows", query=ExportQuery, content_type=JSONL,
        counted="exports",
    ),
)  # fmt: skip
