"""What a comparison answers, and the words for values that it can't compare."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, Final

from app.domain.paths import Missing
from app.domain.values import kind

Outcome = tuple[bool, str]
"""Whether the positive form of an operator holds, and why."""

Comparison = Callable[[Any, datetime], Outcome]
"""Takes the field's value (or ``MISSING``) and the aware time now; raises on no JSON."""

MISSING_FIELD: Final = "the field is missing"
_ARTICLES: Final = {
    "object": "an object",
    "array": "an array",
    "string": "a string",
    "boolean": "a boolean",
    "number": "a number",
    "null": "null",
    "unknown": "an unknown value",
}


@cache
def mismatches(wanted: str) -> Callable[[Any], str]:
    """Make the function that says why a value's type does not compare with ``wanted``, such as "a number"."""
    texts = {name: f"{article} does not compare with {wanted}" for name, article in _ARTICLES.items()}
    # What is of the wanted kind and still refused can only be NaN or an infinity.
    texts["number"] = "not a finite number" if wanted == "a number" else texts["number"]

    def reason(actual: Any) -> str:
        return MISSING_FIELD if isinstance(actual, Missing) else texts[kind(actual)]

    return reason
