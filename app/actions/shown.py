"""How a form shows a config: hints in its JSON Schema, in the words of who has never seen one.

A field's ``description`` is for who writes JSON; its ``title`` and ``x-help`` are for who fills in a form:

- ``x-widget``: what it is filled in with, where the type does not say it; ``x-example``: something to write there.
- ``x-more``: it is out of the way until asked for.
- ``x-labels``: the words for the members of an enumeration.

A type has ``x-icon``, ``x-family`` (the heading of the menu), ``x-summary`` (sentences with ``{field}``: the first is
said whose fields are filled in), ``x-choices`` (ways to fill it in, of which one is taken) and, where it sends a
message, ``x-message``: the kind of message template that it may use.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from schemas.message_template import MessageKind

Widget = Literal[
    "addresses",
    "channel",
    "days",
    "duration",
    "html",
    "json",
    "line",
    "lines",
    "message_template",
    "moment",
    "pairs",
    "secret",
    "text",
    "timezone",
]
Heading = Literal["Messages", "Customer", "Work", "Flow"]


@dataclass(frozen=True, slots=True)
class Shown:
    """How a form shows one field; see this module for what each hint means."""

    title: str
    help: str
    widget: Widget | None = None
    example: str = ""
    more: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Put the hints that there are into the field's schema."""
        hints = {
            "x-help": self.help,
            "x-widget": self.widget,
            "x-example": self.example,
            "x-more": self.more,
            "x-labels": dict(self.labels),
        }
        return {**handler(core_schema), "title": self.title, **{name: hint for name, hint in hints.items() if hint}}


@dataclass(frozen=True, slots=True)
class Way:
    """One way of several to say something: its fields are filled in, those of the others are not."""

    title: str
    fields: tuple[str, ...]


def form(
    title: str,
    help_text: str,
    *,
    icon: str,
    family: Heading,
    summary: Sequence[str],
    choices: Mapping[str, Sequence[Way]] | None = None,
    message: MessageKind | None = None,
) -> ConfigDict:
    """Return the model config that says how a type's form is shown.

    Args:
        title: What the step does, as an order: ``Send an e-mail``.
        help_text: When it is used, in a sentence.
        icon: The name of its icon.
        family: The heading of the menu that it stands under.
        summary: Sentences with ``{field}``; the first whose fields are filled in is said of a step.
        choices: Groups of ways by their heading, of which one is taken.
        message: The kind of message that it sends.
    """
    hints: dict[str, Any] = {"x-help": help_text, "x-icon": icon, "x-family": family, "x-summary": list(summary)}
    if choices:
        hints["x-choices"] = [
            {"title": heading, "ways": [{"title": way.title, "fields": list(way.fields)} for way in ways]}
            for heading, ways in choices.items()
        ]
    if message:
        hints["x-message"] = message
    return ConfigDict(title=title, json_schema_extra=hints)
