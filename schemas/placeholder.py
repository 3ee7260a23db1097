"""Placeholders: what a workflow template asks for when it is applied."""

from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from schemas.base import Contract
from schemas.visible import VISIBLE

MAX_PLACEHOLDERS: Final = 50
MAX_TEXT_CHARS: Final = 10_000
NAME: Final = r"[a-z][a-z0-9_]{0,49}"

PlaceholderType = Literal[
    "text",
    "number",
    "integer",
    "money",
    "boolean",
    "duration",
    "time",
    "timezone",
    "choice",
    "email",
    "phone",
    "url",
    "tag",
    "channel",
    "message_template",
    "secret",
]
Scalar = str | int | float | bool
Label = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S"), VISIBLE]


class Choice(Contract):
    """One of the values that a ``choice`` may have; its label defaults to the value."""

    model_config = ConfigDict(extra="forbid")

    value: Annotated[Scalar, Field(union_mode="smart")]
    label: Annotated[str, Field(max_length=100)] = ""


class Placeholder(Contract):
    """One value that a template asks for; ``[[name]]`` stands for it in the template's texts.

    Attributes:
        type: What a value must be; ``channel``, ``message_template`` and ``secret`` are names of such.
        required: Whether a value is needed where there is no default; without one, what holds it alone is left out.
        minimum: Of number, integer, money; of duration as text such as 1h. ``maximum`` is the same.
        min_length: Characters of a text; ``max_length`` is the same.
        currency: Of money, for the form: its ISO 4217 code.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=rf"^{NAME}$", description="Small letters, digits and underscores")]
    type: PlaceholderType
    label: Label
    help: Annotated[str, Field(max_length=500)] = ""
    required: bool = True
    default: Scalar | None = None
    minimum: int | float | str | None = None
    maximum: int | float | str | None = None
    min_length: Annotated[int | None, Field(ge=0, le=MAX_TEXT_CHARS)] = None
    max_length: Annotated[int | None, Field(ge=1, le=MAX_TEXT_CHARS)] = None
    choices: Annotated[list[Choice] | None, Field(min_length=1, max_length=50)] = None
    currency: Annotated[str | None, Field(pattern=r"^[A-Z]{3}$")] = None

    def stored(self) -> dict[str, Any]:
        """Return it as it is kept and shown: what says nothing is left out."""
        return self.model_dump(mode="json", exclude_none=True)
