"""The editor's page: what a workflow does, what is live, what its draft changes; and the switch."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from aiohttp import web

from app.actions.step_words import step_in_words
from app.admin.api.types import action_types
from app.admin.draft_models import RevisionView
from app.admin.hints import hinted_draft
from app.admin.pages.declared import form, page
from app.admin.pages.editor.choices import customer_fields, event_types
from app.admin.pages.forms import one_of_each, see_other
from app.admin.pages.rendering import rendered
from app.admin.pages.triggers import trigger_in_words
from app.admin.pages.workflows.people import people
from app.admin.requests import CALLER, path_id
from app.admin.state import STATE
from app.domain.condition_words import condition_words
from app.domain.errors import ConflictError, NotFoundError, UnfitError
from app.services.operations.cancelling import Waiting
from app.services.workflows.editing import written
from schemas.draft import Draft
from schemas.workflow import Workflow, WorkflowDraft

_ONE: Final = "/workflows/{id}"
_DID: Final = {
    "published": "Published. What happens from now on is judged by this version.",
    "half": "Published, but it could not be switched on. Switch it on above to read why.",
    "on": "Switched on.",
    "off": "Switched off. It runs for nothing until it is switched on again.",
}
_WAITING: Final[Mapping[str, Waiting]] = {"finish": "finish", "cancel": "cancel"}


async def show_editor(request: web.Request) -> web.Response:
    """Show a workflow."""
    return await _shown(request, path_id(request, "workflow"))


async def _shown(
    request: web.Request, workflow_id: UUID, *, refused: UnfitError | ConflictError | None = None, asks: bool = False
) -> web.Response:
    state, caller = request.app[STATE], request[CALLER]
    workflow = await state.workflows.get(caller, workflow_id)
    draft = await _draft(request, workflow)
    newest = RevisionView.model_validate((await state.workflows.revisions(caller, workflow_id, None, 1))[0])
    compares = draft is not None and not workflow.unreadable
    words = (await state.editing.comparing.compare(caller, workflow_id, "live", "draft")).words if compares else []
    names = await people(request, {newest.written_by, *([draft.saved_by] if draft else ())})
    live = {
        "active": workflow.active,
        "version": workflow.version,
        "at": newest.updated_at,
        "by": names[newest.written_by],
        "ever": workflow.active or workflow.version > 1 or draft is None,
    }
    return rendered(
        request,
        "editor/page.html",
        status=HTTPStatus.CONFLICT if refused else HTTPStatus.OK,
        workflow=workflow,
        draft=draft,
        live=live,
        me=caller.user_id,
        saved_by=names[draft.saved_by] if draft else "",
        words=words,
        refused=refused,
        asks=asks,
        said=_DID.get(request.query.get("did", "")),
        when=trigger_in_words(workflow.trigger),
        conditions=condition_words(workflow.conditions),
        steps=[step_in_words(one.written()) for one in sorted(workflow.actions, key=lambda one: one.order)],
        data=_data(request, workflow, draft, {**live, "at": newest.updated_at.isoformat()}, names),
    )


async def _draft(request: web.Request, workflow: Workflow) -> Draft | None:
    if workflow.draft is None:
        return None
    try:
        found = await request.app[STATE].editing.drafts.get(request[CALLER], workflow.id)
    except NotFoundError:  # it was published or discarded meanwhile
        return None
    return hinted_draft(request, found)


def _data(
    request: web.Request,
    workflow: Workflow,
    draft: Draft | None,
    live: dict[str, Any],
    names: Mapping[UUID, str],
) -> dict[str, Any]:
    """Return what the scripts begin with, so that nothing moves on the page once they run."""
    return {
        "id": str(workflow.id),
        "me": str(request[CALLER].user_id),
        "people": {str(one): name for one, name in names.items()},
        "body": written(workflow, WorkflowDraft),
        "draft": draft.model_dump(mode="json") if draft else None,
        "live": live,
        "types": list(event_types(request.app[STATE].event_types.latest().types)),
        "customers": customer_fields(),
        "action_types": action_types().model_dump(mode="json"),
    }


async def switch_on(request: web.Request) -> web.Response:
    """Switch it on; where that cannot be, say why."""
    workflow_id = path_id(request, "workflow")
    try:
        await request.app[STATE].workflows.set_active(request[CALLER], workflow_id, None, active=True)
    except (ConflictError, UnfitError) as error:
        return await _shown(request, workflow_id, refused=error)
    return see_other(f"/workflows/{workflow_id}?did=on")


async def switch_off(request: web.Request) -> web.Response:
    """Switch it off; where executions wait, ask what becomes of them."""
    workflow_id = path_id(request, "workflow")
    waiting = _WAITING.get(one_of_each(request).get("waiting", ""))
    try:
        await request.app[STATE].runs.cancelling.deactivate(request[CALLER], workflow_id, None, waiting)
    except ConflictError as error:
        return await _shown(request, workflow_id, refused=error, asks=waiting is None)
    return see_other(f"/workflows/{workflow_id}?did=off")


PAGES: Final = (
    page(_ONE, "editorPage", "A workflow, and its editor", show_editor),
    form(f"{_ONE}/on", "switchOnForm", "Switch a workflow on", switch_on, conflicts=True),
    form(f"{_ONE}/off", "switchOffForm", "Switch a workflow off", switch_off, conflicts=True),
)
