"""``/api/v1/workflows/{id}/execute`` and ``.../test``: a workflow run by hand, in earnest and as a dry run."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from aiohttp import web

from app.admin.examples import ORDER_DATA, TRIAL, WORKFLOW
from app.admin.execution_models import (
    DraftDryRunRequest,
    DryRunRequest,
    RunRequest,
    RunStarted,
    TrialRequest,
)
from app.admin.limits import KIB
from app.admin.operations import JSON, Body, Operation
from app.admin.requests import CALLER, answer, path_id, read_document, read_model
from app.admin.state import STATE
from app.domain.errors import FieldError, InvalidError
from app.domain.grants import Use
from app.services.operations.dry_run_report import DryRun
from app.services.operations.event_finding import LOOKED_BACK, Sought
from app.services.operations.past_events import PastEvents, sample_attributes
from app.services.operations.tried_event import NOBODYS
from app.services.workflows.comparing import LIVE
from app.services.workflows.stored_problems import unknown_actions, unmatchable
from schemas.field_errors import under
from schemas.workflow import Workflow, WorkflowDraft

_ROOT: Final = "/api/v1/workflows"
_ONE: Final = f"{_ROOT}/{{id}}"

# An event, and beside it a draft, each at its most.
_MOST: Final = 512 * KIB


async def execute_workflow(request: web.Request) -> web.Response:
    """Run one workflow by hand."""
    workflow_id = path_id(request, "workflow")
    wanted = read_model(await read_document(request, (JSON,)), RunRequest)
    started = await request.app[STATE].runs.manual_runs.start(request[CALLER], workflow_id, wanted.data, wanted.subject)
    return answer(RunStarted.model_validate(started, from_attributes=True), 202)


async def test_draft(request: web.Request) -> web.Response:
    """Try a draft on an event."""
    raw = await read_document(request, (JSON,))
    if not isinstance(raw, dict):
        raise InvalidError([FieldError("", "the body is a JSON object with workflow and event")])
    errors: list[FieldError] = []
    wanted, draft = None, None
    try:
        wanted = read_model({name: value for name, value in raw.items() if name != "workflow"}, TrialRequest)
    except InvalidError as error:
        errors += error.errors
    try:
        draft = await request.app[STATE].workflows.read(raw.get("workflow"))
    except InvalidError as error:
        errors += under("workflow", error.errors)
    if wanted is None or draft is None:
        raise InvalidError(errors)
    return await _tried(request, draft, Use(request[CALLER].user_id, NOBODYS.workflow), wanted)


async def test_workflow(request: web.Request) -> web.Response:
    """Try a stored workflow, active or not, on an event: what is live of it, its draft, or an earlier version."""
    workflow_id = path_id(request, "workflow")
    wanted = read_model(await read_document(request, (JSON,)), DryRunRequest)
    workflow = await request.app[STATE].workflows.get(request[CALLER], workflow_id)
    draft = _live(workflow) if wanted.version == LIVE else await _other_state(request, workflow_id, wanted.version)
    return await _tried(request, draft, Use(workflow.created_by, workflow_id), wanted)


def _live(workflow: Workflow) -> WorkflowDraft:
    wrong = [*unmatchable(workflow), *unknown_actions(workflow.actions)]
    if wrong:
        raise InvalidError(under("workflow", wrong))
    return WorkflowDraft.model_construct(**{name: getattr(workflow, name) for name in WorkflowDraft.model_fields})


async def _other_state(request: web.Request, workflow_id: UUID, version: str) -> WorkflowDraft:
    """Read a draft, or an earlier version, as it would be read to be published."""
    state = request.app[STATE]
    body = await state.editing.comparing.state(request[CALLER], workflow_id, version)
    try:
        return await state.workflows.read(body)
    except InvalidError as error:
        raise InvalidError(under("workflow", error.errors)) from None


async def _tried(request: web.Request, draft: WorkflowDraft, use: Use, wanted: TrialRequest) -> web.Response:
    state = request.app[STATE]
    with_text = draft.model_copy(update={"actions": await state.messages.template_texts.of(use.owner, draft.actions)})
    current = wanted.current.model_dump(exclude_none=True)
    event = await _event(request, draft, wanted)
    tried = await state.runs.dry_runs.run(with_text, event, wanted.results, current, use, caller=request[CALLER])
    return answer(tried)


async def _event(request: web.Request, draft: WorkflowDraft, wanted: TrialRequest) -> Mapping[str, Any]:
    state, past = request.app[STATE], wanted.past
    log = PastEvents(state.runs.executions, state.events)
    if past is not None and past.execution_id is not None:
        return await log.of_execution(request[CALLER], past.execution_id)
    if past is not None and past.source is not None and past.id is not None:
        since = past.since or datetime.now(UTC) - LOOKED_BACK
        return await log.called(request[CALLER], Sought(past.source, past.id, since, past.entity))
    return sample_attributes(draft.trigger.type) if wanted.sample else wanted.event


_TRIED: Final = Body({JSON: (DraftDryRunRequest, False)}, most=_MOST, example={"workflow": WORKFLOW, **TRIAL})
_RUN: Final = Body({JSON: (RunRequest, False)}, most=_MOST, example={"data": ORDER_DATA, "subject": "c-1042"})

OPERATIONS: Final = (
    Operation(
        "POST", f"{_ROOT}/test", "testDraft", "Try a draft on an event, without any effect", test_draft,
        {200: DryRun}, tag="workflows", body=_TRIED, counted="looks",
    ),
    Operation(
        "POST", f"{_ONE}/test", "testWorkflow", "Try a workflow on an event, without any effect", test_workflow,
        {200: DryRun}, tag="workflows", body=Body({JSON: (DryRunRequest, False)}, most=_MOST, example=TRIAL),
        counted="looks",
    ),
    Operation(
        "POST", f"{_ONE}/execute", "executeWorkflow", "Run a workflow by hand; answers the execution's id",
        execute_workflow, {202: RunStarted}, tag="workflows",
        body=_RUN, conflicts=True,
    ),
)  # fmt: skip
