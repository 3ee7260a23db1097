"""Hints on what is answered of workflows, by the events that were seen (``app.services.operations.seen_hints``)."""

from collections.abc import Iterable

from aiohttp import web

from app.admin.state import STATE
from app.services.operations.seen_hints import hints_of, type_hint
from schemas.draft import Draft
from schemas.workflow import Workflow


def hinted(request: web.Request, workflow: Workflow) -> Workflow:
    """Return a workflow with its hints."""
    body = {
        "trigger": {"type": workflow.trigger.type},
        "conditions": workflow.conditions,
        "actions": [{"conditions": one.conditions, "config": one.config} for one in workflow.actions],
    }
    return workflow.model_copy(update={"hints": hints_of(body, request.app[STATE].event_types.latest())})


def hinted_list(request: web.Request, workflows: Iterable[Workflow]) -> list[Workflow]:
    """Return workflows with the hints on their triggers' types: what else there is to say each says itself."""
    found = request.app[STATE].event_types.latest()
    hints = ((one, type_hint(one.trigger.type, found)) for one in workflows)
    return [one.model_copy(update={"hints": [hint] if hint else []}) for one, hint in hints]


def hinted_draft(request: web.Request, draft: Draft) -> Draft:
    """Return a draft with its hints."""
    return draft.model_copy(update={"hints": hints_of(draft.workflow, request.app[STATE].event_types.latest())})
