"""What the steps of an execution sent: made anew from its event and its version, as nobody keeps what was sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.errors import InvalidError, NotFoundError
from app.domain.grants import Use
from app.ports.executions import ExecutionDetail
from app.services.operations.dry_run_report import SimulatedResult, StepReport
from schemas.event import CUT


@dataclass(frozen=True, slots=True)
class RenderedSteps:
    """What each step sent, by its position; ``why_not`` says why it cannot be made."""

    steps: Mapping[int, StepReport] = field(default_factory=dict)
    why_not: str = ""


async def rendered_steps(request: web.Request, one: ExecutionDetail) -> RenderedSteps:
    """Make what the steps of an execution sent, without any effect."""
    if CUT in one.event:
        return RenderedSteps(why_not="the event was too large to be kept")
    if one.unreadable:
        return RenderedSteps(why_not="its row in the log cannot be read in full")
    state, caller = request.app[STATE], request[CALLER]
    try:
        workflow = await state.workflows.get(caller, one.workflow_id)
        body = await state.editing.comparing.state(caller, one.workflow_id, str(one.version))
        draft = await state.workflows.read(body)
        texts = await state.messages.template_texts.of(workflow.created_by, draft.actions)
        tried = await state.runs.dry_runs.run(
            draft.model_copy(update={"actions": texts}),
            one.event,
            {result.step: came_to for result in one.results if (came_to := _came_to(result.model_dump()))},
            {},
            Use(workflow.created_by, one.workflow_id),
            caller=caller,
        )
    except NotFoundError:
        return RenderedSteps(why_not="the workflow, or this version of it, is gone")
    except InvalidError as error:
        return RenderedSteps(why_not=error.errors[0].message if error.errors else str(error))
    return RenderedSteps({step.step: step.model_copy(update={"would_send": _shown(step)}) for step in tried.steps})


def _shown(step: StepReport) -> Any:
    """Return a request without the ids that say where a change comes from: they would be those of this trial."""
    sent = step.would_send
    return {name: value for name, value in sent.items() if name != "origin"} if isinstance(sent, Mapping) else sent


def _came_to(result: Mapping[str, Any]) -> SimulatedResult | None:
    """Return what a step came to, for those after it to see; nothing for one that was skipped."""
    if result["status"] == "skipped":
        return None
    return SimulatedResult(status=result["status"], output=result["output"], error=result["error"])
