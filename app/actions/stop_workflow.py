"""``stop_workflow``: end the execution here; with ``conditions`` it is a way out half-way."""

from functools import partial
from typing import Annotated, Final

from pydantic import Field

from app.actions.base import ActionConfig, ActionContext, CompiledConfig, ControlAction, StopRequest
from app.actions.constants import judged_on_save
from app.actions.shown import Shown, form
from app.actions.templated import Templated
from app.actions.values import line

MAX_REASON_CHARS: Final = 500


class StopWorkflowConfig(ActionConfig):
    """Why, for the log."""

    model_config = form(
        "Stop here",
        "Ends the run, so that the steps below do not happen. Used with a condition, as a way out.",
        icon="stop",
        family="Flow",
        summary=("{reason}", "The steps below do not happen"),
    )

    reason: Annotated[
        str,
        Templated(),
        Shown("Why", "Said where people look at what ran. You may leave it empty.", "line"),
        Field(description="Shown in the log, at most 500 characters"),
        judged_on_save(partial(line, max_chars=MAX_REASON_CHARS)),
    ] = ""


class StopWorkflow(ControlAction[StopWorkflowConfig]):
    """Ends the execution with status ``stopped``."""

    name = "stop_workflow"
    family = "system"
    config = StopWorkflowConfig

    def prepare(self, config: CompiledConfig[StopWorkflowConfig], context: ActionContext) -> StopRequest:
        """Render and check the reason."""
        return StopRequest(line("reason", config.render(context.scope)["reason"], max_chars=MAX_REASON_CHARS))
