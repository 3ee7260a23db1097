"""``/api/v1/workflows``: from their creation to their deletion; their drafts and history are in ``drafts``."""

from typing import Final

from aiohttp import web

from app.admin.draft_models import ChangeQuery, CopyName
from app.admin.examples import WORKFLOW, WORKFLOW_PATCH
from app.admin.execution_models import CancelledView, DeactivationQuery
from app.admin.hints import hinted, hinted_list
from app.admin.models import WorkflowPage, WorkflowPatch, WorkflowQuery
from app.admin.operations import JSON, MERGE_PATCH, Body, Operation
from app.admin.requests import (
    CALLER,
    answer,
    etag,
    expected_version,
    next_cursor,
    path_id,
    read_document,
    read_model,
    read_query,
)
from app.admin.state import STATE
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
    return answer(hinted(request, workflow), 201, headers)


async def list_workflows(request: web.Request) -> web.Response:
    """List the caller's workflows; an admin's list holds all users'."""
    query = read_query(request, WorkflowQuery)
    wanted = WorkflowFilter(**query.model_dump(exclude={"limit", "cursor"}))
    page = await _service(request).find(request[CALLER], wanted, query.cursor, query.limit)
    return answer(
        WorkflowPage(items=hinted_list(request, page.items), next_cursor=next_cursor(request, page.next_cursor))
    )


async def get_workflow(request: web.Request) -> web.Response:
    """Show one."""
    return _shown(request, await _service(request).get(request[CALLER], path_id(request, "workflow")))


async def replace_workflow(request: web.Request) -> web.Response:
    """Replace what a user writes; of an active workflow in its draft, unless it is to be published."""
    workflow_id, version = path_id(request, "workflow"), expected_version(request, required=True)
    publish = read_query(request, ChangeQuery).publish
    raw = await read_document(request, (JSON,))
    drafts = request.app[STATE].editing.drafts
    return _shown(request, await drafts.replace(request[CALLER], workflow_id, version, raw, publish=publish))


async def patch_workflow(request: web.Request) -> web.Response:
    """Apply a JSON merge patch; of an active workflow to its draft, unless it is to be published."""
    workflow_id, version = path_id(request, "workflow"), expected_version(request, required=True)
    publish = read_query(request, ChangeQuery).publish
    patch = await read_document(request, (MERGE_PATCH, JSON))
    drafts = request.app[STATE].editing.drafts
    return _shown(request, await drafts.change(request[CALLER], workflow_id, version, patch, publish=publish))


async def delete_workflow(request: web.Request) -> web.Response:
    """Delete one softly: its log stays, its executions that wait are cancelled."""
    version = expected_version(request, required=False)
    await _cancelling(request).delete(request[CALLER], path_id(request, "workflow"), version)
    return web.Response(status=204)


async def activate_workflow(request: web.Request) -> web.Response:
    """Switch one on."""
    workflow_id, version = path_id(request, "workflow"), expected_version(request, required=False)
    return _shown(request, await _service(request).set_active(request[CALLER], workflow_id, version, active=True))


async def deactivate_workflow(request: web.Request) -> web.Response:
    """Switch one off; where executions wait, say what becomes of them."""
    query = read_query(request, DeactivationQuery)
    workflow_id, version = path_id(request, "workflow"), expected_version(request, required=False)
    return _shown(request, await _cancelling(request).deactivate(request[CALLER], workflow_id, version, query.waiting))


async def cancel_waiting(request: web.Request) -> web.Response:
    """End all of a workflow's executions that wait."""
    cancelled = await _cancelling(request).all_of(request[CALLER], path_id(request, "workflow"))
    return answer(CancelledView(cancelled=cancelled))


async def restore_workflow(request: web.Request) -> web.Response:
    """Bring a deleted one back, switched off."""
    return _shown(request, await _service(request).restore(request[CALLER], path_id(request, "workflow")))


async def duplicate_workflow(request: web.Request) -> web.Response:
    """Store a copy of one, inactive."""
    name = read_model(await read_document(request, (JSON,)), CopyName).name
    workflow = await _service(request).duplicate(request[CALLER], path_id(request, "workflow"), name)
    return answer(hinted(request, workflow), 201, {**etag(workflow.version), "Location": f"{_ROOT}/{workflow.id}"})


def _shown(request: web.Request, workflow: Workflow) -> web.Response:
    return answer(hinted(request, workflow), headers=etag(workflow.version))


def _cancelling(request: web.Request) -> Cancelling:
    return request.app[STATE].runs.cancelling


def _service(request: web.Request) -> WorkflowService:
    return request.app[STATE].workflows


_DRAFT: Final = Body({JSON: (WorkflowDraft, False)}, example=WORKFLOW)
_PATCH: Final = Body({MERGE_PATCH: (WorkflowPatch, False), JSON: (WorkflowPatch, False)}, example=WORKFLOW_PATCH)
_COPY: Final = Body({JSON: (CopyName, False)}, optional=True, example={"name": "Thank for a big order, in Spain"})

OPERATIONS: Final = (
    Operation(
        "POST", _ROOT, "createWorkflow", "Create a workflow, inactive", create_workflow,
        {201: Workflow}, tag="workflows", body=_DRAFT, etag=True, conflicts=True,
    ),
    Operation(
        "GET", _ROOT, "listWorkflows", "List workflows", list_workflows,
        {200: WorkflowPage}, tag="workflows", query=WorkflowQuery,
    ),
    Operation("GET", _ONE, "getWorkflow", "Show a workflow", get_workflow, {200: Workflow}, tag="workflows", etag=True),
    Operation(
        "PUT", _ONE, "replaceWorkflow", "Replace a workflow, or the draft of an active one", replace_workflow,
        {200: Workflow}, tag="workflows", query=ChangeQuery, body=_DRAFT,
        etag=True, if_match="required", conflicts=True,
    ),
    Operation(
        "PATCH", _ONE, "patchWorkflow", "Change parts of a workflow, or of an active one's draft", patch_workflow,
        {200: Workflow}, tag="workflows", query=ChangeQuery, body=_PATCH,
        etag=True, if_match="required", conflicts=True,
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
        "POST", f"{_ONE}/restore", "restoreWorkflow", "Bring a deleted workflow back, switched off", restore_workflow,
        {200: Workflow}, tag="workflows", etag=True, conflicts=True,
    ),
    Operation(
        "POST", f"{_ONE}/duplicate", "duplicateWorkflow", "Copy a workflow", duplicate_workflow,
        {201: Workflow}, tag="workflows", body=_COPY, etag=True, conflicts=True,
    ),
)  # fmt: skip
