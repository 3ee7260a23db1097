"""``/api/v1/workflows/{id}/draft`` and what is around it: publishing, history, going back."""

from typing import Final

from aiohttp import web

from app.admin.draft_models import (
    ChangeView,
    DiffQuery,
    DiffView,
    DraftBody,
    PublishQuery,
    RevisionPage,
    RevisionQuery,
    RevisionView,
)
from app.admin.examples import WORKFLOW, WORKFLOW_PATCH
from app.admin.hints import hinted, hinted_draft
from app.admin.operations import JSON, MERGE_PATCH, Body, Operation
from app.admin.problems import PreconditionRequiredError
from app.admin.requests import (
    CALLER,
    answer,
    etag,
    expected_version,
    path_id,
    path_number,
    read_document,
    read_query,
)
from app.admin.state import STATE
from app.domain.errors import NotFoundError, StaleVersionError
from app.services.operations.publish_preview import PublishPreview
from app.services.workflows.draft_rows import NONE_READ
from app.services.workflows.drafting import DraftService
from app.services.workflows.lifecycle import WorkflowService
from schemas.draft import Draft
from schemas.workflow import Workflow

_ONE: Final = "/api/v1/workflows/{id}"
_DRAFT: Final = f"{_ONE}/draft"
_OVERWRITES: Final = "The workflow has a draft; send If-Match with its ETag, or * to overwrite it, whatever it says"
_MOST_VERSIONS: Final = 2**31 - 1
_REVISION: Final = f"{_ONE}/revisions/{{version}}"


async def get_draft(request: web.Request) -> web.Response:
    """Show a workflow's draft, with what keeps it from being published."""
    return _shown(request, await _drafts(request).get(request[CALLER], path_id(request, "workflow")))


async def save_draft(request: web.Request) -> web.Response:
    """Keep a draft as it is written."""
    workflow_id, number = path_id(request, "workflow"), expected_version(request, required=True)
    raw = await read_document(request, (JSON,))
    return _shown(request, await _drafts(request).save(request[CALLER], workflow_id, number, raw))


async def patch_draft(request: web.Request) -> web.Response:
    """Apply a JSON merge patch to a draft, or to what is live where there is none."""
    workflow_id, number = path_id(request, "workflow"), expected_version(request, required=True)
    patch = await read_document(request, (MERGE_PATCH, JSON))
    return _shown(request, await _drafts(request).patch(request[CALLER], workflow_id, number, patch))


async def discard_draft(request: web.Request) -> web.Response:
    """Let a draft go."""
    number = expected_version(request, required=True)
    await _drafts(request).discard(request[CALLER], path_id(request, "workflow"), number)
    return web.Response(status=204)


async def publish_draft(request: web.Request) -> web.Response:
    """Make a draft what is live."""
    workflow_id, number = path_id(request, "workflow"), expected_version(request, required=True)
    overwrite = read_query(request, PublishQuery).overwrite
    workflow = await _drafts(request).publish(request[CALLER], workflow_id, number, overwrite=overwrite)
    return answer(hinted(request, workflow), headers=etag(workflow.version))


async def list_revisions(request: web.Request) -> web.Response:
    """Show a workflow's history, a deleted one's too."""
    query = read_query(request, RevisionQuery)
    rows = await _workflows(request).revisions(request[CALLER], path_id(request, "workflow"), query.before, query.limit)
    return answer(RevisionPage(items=[RevisionView.model_validate(row) for row in rows]))


async def get_revision(request: web.Request) -> web.Response:
    """Show one revision, a deleted workflow's too."""
    version = _version(request)
    row = await _workflows(request).revision(request[CALLER], path_id(request, "workflow"), version)
    return answer(RevisionView.model_validate(row))


async def restore_revision(request: web.Request) -> web.Response:
    """Make a draft of an earlier revision; without If-Match only where there is none.

    Raises:
        PreconditionRequiredError: There is one, and it is missing.
    """
    version, workflow_id = _version(request), path_id(request, "workflow")
    given = bool(request.headers.get("If-Match", "").strip())
    number = expected_version(request, required=False) if given else NONE_READ
    try:
        restored = await _drafts(request).revert(request[CALLER], workflow_id, version, number)
    except StaleVersionError:
        if given:
            raise
        raise PreconditionRequiredError(_OVERWRITES) from None
    return _shown(request, restored)


async def compare(request: web.Request) -> web.Response:
    """Say what differs between two states of a workflow."""
    query, workflow_id = read_query(request, DiffQuery), path_id(request, "workflow")
    comparing = request.app[STATE].editing.comparing
    found = await comparing.compare(request[CALLER], workflow_id, query.before, query.after)
    changes = [ChangeView(kind=one.kind, path=one.place, before=one.before, after=one.after) for one in found.changes]
    view = DiffView(workflow_id=workflow_id, before=query.before, after=query.after, changes=changes, words=found.words)
    return answer(view)


async def preview(request: web.Request) -> web.Response:
    """Say what publishing a draft would change."""
    previews = request.app[STATE].editing.previews
    return answer(await previews.preview(request[CALLER], path_id(request, "workflow")))


def _version(request: web.Request) -> int:
    version = path_number(request, "version", "version")
    if version > _MOST_VERSIONS:
        raise NotFoundError("There is no such version")
    return version


def _shown(request: web.Request, draft: Draft) -> web.Response:
    return answer(hinted_draft(request, draft), headers=etag(draft.version))


def _drafts(request: web.Request) -> DraftService:
    return request.app[STATE].editing.drafts


def _workflows(request: web.Request) -> WorkflowService:
    return request.app[STATE].workflows


_BODY: Final = Body({JSON: (DraftBody, False)}, example=WORKFLOW)
_PATCH: Final = Body({MERGE_PATCH: (DraftBody, False), JSON: (DraftBody, False)}, example=WORKFLOW_PATCH)

OPERATIONS: Final = (
    Operation(
        "GET", _DRAFT, "getDraft", "Show a workflow's draft", get_draft, {200: Draft}, tag="workflows", etag=True,
    ),
    Operation(
        "PUT", _DRAFT, "saveDraft", "Keep a draft as it is written", save_draft,
        {200: Draft}, tag="workflows", body=_BODY, etag=True, if_match="required",
    ),
    Operation(
        "PATCH", _DRAFT, "patchDraft", "Change parts of a draft", patch_draft,
        {200: Draft}, tag="workflows", body=_PATCH, etag=True, if_match="required",
    ),
    Operation(
        "DELETE", _DRAFT, "discardDraft", "Let a draft go", discard_draft,
        {204: None}, tag="workflows", if_match="required",
    ),
    Operation(
        "POST", f"{_ONE}/publish", "publishDraft", "Make a draft what is live", publish_draft,
        {200: Workflow}, tag="workflows", query=PublishQuery, etag=True, if_match="required", conflicts=True,
    ),
    Operation(
        "GET", f"{_ONE}/revisions", "listRevisions", "Show a workflow's history", list_revisions,
        {200: RevisionPage}, tag="workflows", query=RevisionQuery,
    ),
    Operation(
        "GET", _REVISION, "getRevision", "Show one revision of a workflow", get_revision,
        {200: RevisionView}, tag="workflows",
    ),
    Operation(
        "POST", f"{_REVISION}/restore", "restoreRevision", "Make a draft of an earlier revision", restore_revision,
        {200: Draft}, tag="workflows", etag=True, if_match="over",
    ),
    Operation(
        "GET", f"{_ONE}/diff", "compareStates", "Compare two states of a workflow", compare,
        {200: DiffView}, tag="workflows", query=DiffQuery,
    ),
    Operation(
        "GET", f"{_ONE}/publish-preview", "previewPublishing", "Say what publishing a draft would change", preview,
        {200: PublishPreview}, tag="workflows",
    ),
)  # fmt: skip
