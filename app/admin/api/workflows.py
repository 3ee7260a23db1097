"""``/api/v1/workflows``."""

from typing import Final

from aiohttp import web

from app.admin.examples import WORKFLOW, WORKFLOW_PATCH
from app.admin.execution_models import CancelledView, DeactivationQuery
from app.admin.models import RevisionPage, RevisionQuery, RevisionView, WorkflowPage, WorkflowPatch, WorkflowQuery
from app.admin.operations import JSON, MERGE_PATCH, Body, Operation
from app.admin.requests import CALLER, answer, etag, expected_version, path_id, read_document, read_query
from app.admin.state import STATE
from app.domain.paging import read_cursor
from app.ports.workflows import WorkflowFilter
from app.services.operations.cancelling import Cancelling
from app.services.workflows.lifecycle import WorkflowService
from schemas.workflow import Workflow, WorkflowDraft

_ROOT: Final = "/api/v1/workflows"
_ONE: Final = f"{_ROOT}/{{id}}"


async def create_workflow(request: web.Request) -> web.Response:
    """Store a new workflow, inactive."""
    raw = await read_document(request, (JSON,))
    workflow = await _service(request).create(request[CALLER], raw)
    headers = {**etag(workflow.version), "Location": f"{_ROOT}/{workflow.id}"}
    return answer(workflow, 201, headers)


async def list_workflows(request: web.Request) -> web.Response:
    """List the caller's workflows; an admin's list holds all users'."""
    query = read_query(request, WorkflowQuery)
    wanted = WorkflowFilter(query.active, query.trigger_type, query.search)
    page = await _service(request).find(request[CALLER], wanted, read_cursor(query.cursor), query.limit)
    return answer(WorkflowPage(items=list(page.items), next_cursor=page.next_cursor))


async def get_workflow(request: web.Request) -> web.Response:
    """Show one."""
    return _shown(await _service(request).get(request[CALLER], path_id(request, "workflow")))


async def replace_workflow(request: web.Request) -> web.Response:
    """Replace what a user writes."""
    workflow_id, version = path_id(request, "workflow"), expected_version(request, required=True)
    raw = await read_document(request, (JSON,))
    return _shown(await _service(request).replace(request[CALLER], workflow_id, version, raw))


async def patch_workflow(request: web.Request) -> web.Response:
    """Apply a JSON merge patch."""
    workflow_id, version = path_id(request, "workflow"), expected_version(request, required=True)
    patch = await read_document(request, (MERGE_PATCH, JSON))
    return _shown(await _service(request).patch(request[CALLER], workflow_id, version, patch))


async def delete_workflow(request: web.Request) -> web.Response:
    """Delete one softly: its log stays, its executions that wait are cancelled."""
    version = expected_version(request, required=False)
    await _cancelling(request).delete(request[CALLER], path_id(request, "workflow"), version)
    return web.Response(status=204)


async def activate_workflow(request: web.Request) -> web.Response:
    """Switch one on."""
    workflow_id, version = path_id(request, "workflow"), expected_version(request, required=False)
    return _shown(await _service(request).set_active(request[CALLER], workflow_id, version, active=True))


async def deactivate_workflow(request: web.Request) -> web.Response:
    """Switch one off; where executions wait, say what becomes of them."""
    query = read_query(request, DeactivationQuery)
    workflow_id, version = path_id(request, "workflow"), expected_version(request, required=False)
    return _shown(await _cancelling(request).deactivate(request[CALLER], workflow_id, version, query.waiting))


async def cancel_waiting(request: web.Request) -> web.Response:
    """End all of a workflow's executions that wait."""
    cancelled = await _cancelling(request).all_of(request[CALLER], path_id(request, "workflow"))
    return answer(CancelledView(cancelled=cancelled))


async def list_revisions(request: web.Request) -> web.Response:
    """Show a workflow's history, a deleted one's too."""
    query = read_query(request, RevisionQuery)
    rows = await _service(request).revisions(request[CALLER], path_id(request, "workflow"), query.before, query.limit)
    return answer(RevisionPage(items=[RevisionView.model_validate(row) for row in rows]))


def _shown(workflow: Workflow) -> web.Response:
    return answer(workflow, headers=etag(workflow.version))


def _cancelling(request: web.Request) -> Cancelling:
    return request.app[STATE].cancelling


def _service(request: web.Request) -> WorkflowService:
    return request.app[STATE].workflows


_DRAFT: Final = Body({JSON: (WorkflowDraft, False)}, example=WORKFLOW)
_PATCH: Final = Body({MERGE_PATCH: (WorkflowPatch, False), JSON: (WorkflowPatch, False)}, example=WORKFLOW_PATCH)

OPERATIONS: Final = (
    Operation(
        "POST", _ROOT, "createWorkflow", "Create a workflow, inactive", create_workflow,
        {201: Workflow}, tag="workflows", body=_DRAFT, etag=True, conflicts=True,
    ),
    Operation(
        "GET", _ROOT, "listWorkflows", "List workflows, newest first", list_workflows,
        {200: WorkflowPage}, tag="workflows", query=WorkflowQuery,
    ),
    Operation("GET", _ONE, "getWorkflow", "Show a workflow", get_workflow, {200: Workflow}, tag="workflows", etag=True),
    Operation(
        "PUT", _ONE, "replaceWorkflow", "Replace a workflow", replace_workflow,
        {200: Workflow}, tag="workflows", body=_DRAFT, etag=True, if_match="required", conflicts=True,
    ),
    Operation(
        "PATCH", _ONE, "patchWorkflow", "Change parts of a workflow", patch_workflow,
        {200: Workflow}, tag="workflows", body=_PATCH, etag=True, if_match="required", conflicts=True,
    ),
    Operation(
        "DELETE", _ONE, "deleteWorkflow", "Delete a workflow; its log stays", delete_workflow,
        {204: None}, tag="workflows", if_match="optional",
    ),
    Operation(
        "POST", f"{_ONE}/activate", "activateWorkflow", "Switch a workflow on", activate_workflow,
        {200: Workflow}, tag="workflows", etag=True, if_match="optional", conflicts=True,
    ),
    Operation(
        "POST", f"{_ONE}/deactivate", "deactivateWorkflow", "Switch a workflow off", deactivate_workflow,
        {200: Workflow}, tag="workflows", query=DeactivationQuery, etag=True, if_match="optional", conflicts=True,
    ),
    Operation(
        "POST", f"{_ONE}/cancel-waiting", "cancelWaiting", "End a workflow's executions that wait", cancel_waiting,
        {200: CancelledView}, tag="workflows", conflicts=True,
    ),
    Operation(
        "GET", f"{_ONE}/revisions", "listRevisions", "Show a workflow's history", list_revisions,
        {200: RevisionPage}, tag="workflows", query=RevisionQuery,
    ),
)  # fmt: skip
