"""A template as the gallery shows it: what it does, read as a sentence, with the open places marked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup, escape

from app.actions.step_words import Step, step_in_words
from app.domain.callers import Caller
from app.domain.condition_words import EMPHATIC
from app.domain.errors import InvalidError
from app.services.workflows.placeholders.declarations import declared, sample
from app.services.workflows.placeholders.filling import fill
from app.services.workflows.placeholders.values import as_text
from app.services.workflows.starter_templates import is_built_in
from schemas.placeholder import NAME, Placeholder
from schemas.template import Template

_MARK: Final = re.compile(rf"\[\[ ?({NAME}) ?\]\]")


# What a text has of the event, such as {{ customer.name | default('there') }}: said by its path.
_OF_EVENT: Final = re.compile(r"\{\{\s*([A-Za-z_][\w.]*)[^{}]*\}\}")
_NUMBER: Final = 1


@dataclass(frozen=True, slots=True)
class Card:
    """A template in the gallery.

    Attributes:
        trigger: With what its open places begin with.
        steps: What it does, step by step.
        whose: Who made it, as far as that says something.
    """

    template: Template
    trigger: dict[str, Any]
    steps: Sequence[Step]
    whose: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A template as it reads.

    Attributes:
        conditions: Each: how it is joined to the one before, its words, and the end of those that is an open place.
        blanks: What stands in the open places for now, by name, with what it is.
    """

    trigger: dict[str, Any]
    conditions: Sequence[tuple[str, str, str]]
    steps: Sequence[Step]
    blanks: Mapping[str, tuple[str, str]]


def card_of(template: Template, caller: Caller) -> Card:
    """Return a template's card."""
    filled = _filled(template, _asked(template))
    return Card(template, filled["trigger"], _steps(template), whose(template, caller))


def whose(template: Template, caller: Caller) -> str:
    """Say who made a template."""
    if is_built_in(template.id):
        return "Built in"
    if template.created_by == caller.user_id:
        return "Yours, and public" if template.is_public else "Yours"
    return "Public" if template.is_public else "Another user's"


def reading_of(template: Template) -> Reading:
    """Return how a template reads with what it begins with in its open places."""
    asked = _asked(template)
    filled = _filled(template, asked)
    return Reading(
        filled["trigger"],
        _joined(template.conditions, filled["conditions"]),
        _steps(template),
        {one.name: (_shown(one, sample(one)), one.label) for one in asked},
    )


def marked(text: str, blanks: Mapping[str, tuple[str, str]]) -> Markup:
    """Return a text with its open places marked, and what it has of the event said by its name."""
    parts, end = [], 0
    for found in _MARK.finditer(text):
        if found[1] in blanks:
            value, label = blanks[found[1]]
            parts += [
                _plain(text[end : found.start()]),
                Markup('<mark title="{}">{}</mark>').format(label, _plain(value)),
            ]
            end = found.end()
    return Markup("").join([*parts, _plain(text[end:])])


def _plain(text: str) -> Markup:
    parts, end = [], 0
    for found in _OF_EVENT.finditer(text):
        name = found[1].replace(".", " ").replace("_", " ")
        parts += [
            escape(text[end : found.start()]),
            Markup('<span class="chip" title="{}">{}</span>').format(found[0], name),
        ]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def _asked(template: Template) -> list[Placeholder]:
    try:
        return declared(template.placeholders)
    except InvalidError:  # stored by another program
        return []


def _filled(template: Template, asked: Sequence[Placeholder]) -> dict[str, Any]:
    draft = {"trigger": template.trigger.model_dump(mode="json"), "conditions": template.conditions}
    filled: dict[str, Any] = fill(draft, asked, {one.name: sample(one) for one in asked})
    return filled


def _steps(template: Template) -> list[Step]:
    return [
        step_in_words(one.model_dump(mode="json"), as_written=True, conditions=EMPHATIC) for one in template.actions
    ]


def _joined(written: Sequence[Any], filled: Sequence[Any]) -> list[tuple[str, str, str]]:
    """Return each condition with what joins it to the one before, which that one says."""
    said, joined = [], ""
    for raw, one in zip(written, filled, strict=False):
        words, open_end = EMPHATIC.one(one), ""
        if isinstance(raw.get("value"), str) and _MARK.fullmatch(raw["value"]):
            begins = EMPHATIC.one({**one, "value": _NUMBER}).removesuffix(str(_NUMBER))
            words, open_end = begins, words.removeprefix(begins)
        said.append((joined, words, open_end))
        joined = str(one.get("logic") or "AND").lower()
    return said


def _shown(one: Placeholder, value: Any) -> str:
    return as_text(one, value) if one.default is not None else one.label
