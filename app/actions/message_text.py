"""Texts of messages: the action's own, or those of a named message template, never both.

A template stands for the fields that it takes the place of: what is sent is what would be sent if its texts stood in
the config. So the same checks, sandbox and escaping apply, and what an edit brings is compiled once.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, Field, ValidationInfo

from app.actions.base import ActionConfig, AnyAction, MessageTextSpec
from app.actions.shown import Shown, Way
from app.domain.errors import ActionFailedError
from app.ports import MessageText
from schemas.message_template import TemplateName

T = TypeVar("T")

TEMPLATE: Final = "template"
FROM_TEMPLATE: Final = Way("Use a message template", (TEMPLATE,))


class MessageTextConfig(ActionConfig):
    """A config whose texts may be a named message template's."""

    template: Annotated[
        TemplateName | None,
        Shown("Message template", "The name of a text that is kept for several workflows.", "message_template"),
        Field(description="A message template, in place of the texts"),
    ] = None


def _not_beside_template(value: T, info: ValidationInfo) -> T:
    if value and info.data.get(TEMPLATE) is not None:
        raise ValueError("cannot be given together with template")
    return value


def _unless_template(value: T, info: ValidationInfo) -> T:
    # A template whose name is wrong is not among the data: that has been said already.
    if not value and info.data.get(TEMPLATE, "") is None:
        raise ValueError("is needed, or a template")
    return _not_beside_template(value, info)


OptionalWords: Final = AfterValidator(_not_beside_template)
NeededWords: Final = AfterValidator(_unless_template)


def template_named(action: AnyAction, config: Mapping[str, Any]) -> str | None:
    """Return the message template that a config of this action names; None where it has words of its own."""
    name = config.get(TEMPLATE) if action.message_text is not None else None
    return name if isinstance(name, str) else None


def with_text(message_text: MessageTextSpec, config: Mapping[str, Any], found: MessageText) -> dict[str, Any]:
    """Return the config with the template's texts in place of its name."""
    parts = {field: getattr(found, part) for field, part in message_text.parts.items()}
    own = {name: value for name, value in config.items() if name != TEMPLATE}
    return {**own, **{field: source for field, source in parts.items() if source}}


def refuse_unfound(action: AnyAction, config: Mapping[str, Any]) -> None:
    """Fail a step whose template has not been found.

    Raises:
        ActionFailedError: The config still names one.
    """
    name = template_named(action, config)
    if name is not None and action.message_text is not None:
        kind = action.message_text.kind
        raise ActionFailedError(f"template: there is no {kind} template named {name!r}", permanent=True)
