"""``delay``: wait, for a duration or until a time; what comes after it runs then, across any restart."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from app.actions.base import ActionConfig, ActionContext, CompiledConfig, ControlAction, DelayRequest
from app.actions.templated import Templated, is_constant
from app.actions.values import filled_line, moment, refuse
from app.domain.durations import MAX_DURATION, parse_duration

_MAX_CHARS = 100


class DelayConfig(ActionConfig):
    """How long, or until when."""

    duration: Annotated[
        str | float | None, Templated(), Field(description="90 (seconds), 15m, 2h, 3 days, 1w, PT2H; at most 366 days")
    ] = None
    until: Annotated[str | None, Templated(), Field(description="ISO 8601; UTC where it names no offset")] = None

    @model_validator(mode="after")
    def _says_one_of_both(self) -> Self:
        if (self.duration is None) == (self.until is None):
            raise ValueError("either duration or until is needed")
        if self.duration is not None and (not isinstance(self.duration, str) or is_constant(self.duration)):
            parse_duration(self.duration)
        return self


class Delay(ControlAction[DelayConfig]):
    """Waits; output ``{until}``. A time that has passed is no wait."""

    name = "delay"
    family = "system"
    config = DelayConfig

    def prepare(self, config: CompiledConfig[DelayConfig], context: ActionContext) -> DelayRequest:
        """Render and check; a duration counts from now."""
        fields = config.render(context.scope)
        now = datetime.now(UTC)
        if fields["until"] is not None:
            until = moment("until", fields["until"])
            if until > now + MAX_DURATION:
                refuse("until", f"must be at most {MAX_DURATION.days} days from now")
            return DelayRequest(until)
        return DelayRequest(now + _duration(fields["duration"]))


def _duration(value: Any) -> timedelta:
    written = filled_line("duration", value, max_chars=_MAX_CHARS) if isinstance(value, str) else value
    try:
        return parse_duration(written)
    except ValueError as error:
        refuse("duration", str(error))
