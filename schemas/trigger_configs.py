"""What a user writes in a trigger's ``config``, by trigger type; an unknown key is a mistake they want to hear of."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field


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


TRIGGER_CONFIGS: Final[dict[str, type[TriggerConfig]]] = {
    "customer.updated": CustomerUpdatedTrigger,
    "tag.applied": TagTrigger,
    "tag.removed": TagTrigger,
}


def trigger_config(event_type: str) -> type[TriggerConfig]:
    """Return the model of a trigger type's config."""
    return TRIGGER_CONFIGS.get(event_type, TriggerConfig)
