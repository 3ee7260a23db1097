"""``stop_workflow``: end the execution here; with ``conditions`` it is a way out half-way."""

from typing import Annotated, Final

from pydantic import Field

from app.actions.base import ActionConfig, ActionContext, CompiledConfig, ControlAction, StopRequest
from app.actions.templated import Templated
from app.actions.values import line

MAX_REASON_CHARS: Final = 500


class StopWorkflowConfig(ActionConfig):
    """Why, for the log."""

    reason: Annotated[str, Templated(), Field(description="Shown in the log, at most 500 characters")] = ""


class StopWorkflow(ControlAction[StopWorkflowConfig]):
    """Ends the execution with status ``stopped``."""

    name = "stop_workflow"
    family = "system"
    config = StopWorkflowConfig

    def prepare(self, config: CompiledConfig[StopWorkflowConfig], context: ActionContext) -> StopRequest:
        """Render and check the reason."""
        return StopRequest(line("reason", config.render(context.scope)["reason"], max_chars=MAX_REASON_CHARS))
