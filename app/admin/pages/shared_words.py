"""Words that pages and scripts share, as modules: scripts have them from where the pages have them."""

import json
from collections.abc import Iterator
from typing import Any

from app.actions.error_words import LACKING, NOBODY, titles
from app.actions.registry import REGISTRY
from app.actions.step_words import type_title
from app.domain.operator_words import SPOKEN, UNITS


def shared_words() -> Iterator[tuple[str, str]]:
    """Yield each module, by its name below ``static``."""
    operators = [one.in_json() for one in SPOKEN]
    yield "js/operators.js", _module("app.domain.operator_words", OPERATORS=operators, UNITS=UNITS)
    steps = {one.name: type_title(one.name) for one in REGISTRY}
    fields = titles()
    yield (
        "js/step-titles.js",
        _module("app.actions.error_words", STEPS=steps, TITLES=fields, LACKING=LACKING, NOBODY=NOBODY),
    )


def _module(source: str, **constants: Any) -> str:
    told = (f"export const {name} = {json.dumps(value, ensure_ascii=False)};" for name, value in constants.items())
    return "\n".join([f"/** As `{source}` has it. */", *told, ""])
