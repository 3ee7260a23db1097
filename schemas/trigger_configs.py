"""What a user writes in a trigger's ``config``, by trigger type; an unknown key is a mistake they want to hear of."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.domain.conditions import ConditionError, compile_conditions
from app.domain.zones import zone_named


class TriggerConfig(BaseModel):
    """A trigger that asks for nothing more than its type."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TagTrigger(TriggerConfig):
    """Only this tag."""

    tag: Annotated[str, Field(min_length=1, max_length=100, description="Any tag, if left out")] | None = None


class CustomerUpdatedTrigger(TriggerConfig):
    """Only if one of these fields changed."""

    fields: (
        Annotated[
            list[Annotated[str, Field(min_length=1, max_length=64)]],
            Field(min_length=1, max_length=50, description="Any change, if left out"),
        ]
        | None
    ) = None


def _zone(value: str) -> str:
    zone_named(value)
    return value


def _conditions(value: list[dict[str, Any]]) -> list[dict[str, Any]]:
    try:
        compile_conditions(value, "audience", current="refused")
    except ConditionError as error:
        raise ValueError(str(error)) from None
    return value


class DailyTrigger(TriggerConfig):
    """Every day at a local time; once, or once for each customer of an audience."""

    at: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="Local time, HH:MM")]
    timezone: Annotated[str, AfterValidator(_zone), Field(description="IANA time zone")] = "UTC"
    audience: (
        Annotated[
            list[dict[str, Any]],
            AfterValidator(_conditions),
            Field(max_length=100, description="Run once for each customer who meets these conditions"),
        ]
        | None
    ) = None


class WeeklyTrigger(DailyTrigger):
    """On days of the week."""

    days: Annotated[list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]], Field(min_length=1, max_length=7)]


class MonthlyTrigger(DailyTrigger):
    """On a day of the month; where a month has no such day, on its last."""

    day: Annotated[int, Field(ge=1, le=31)]


TRIGGER_CONFIGS: Final[dict[str, type[TriggerConfig]]] = {
    "customer.updated": CustomerUpdatedTrigger,
    "tag.applied": TagTrigger,
    "tag.removed": TagTrigger,
    "temporal.daily": DailyTrigger,
    "temporal.monthly": MonthlyTrigger,
    "temporal.weekly": WeeklyTrigger,
}


def trigger_config(event_type: str) -> type[TriggerConfig]:
    """Return the model of a trigger type's config."""
    return TRIGGER_CONFIGS.get(event_type, TriggerConfig)
