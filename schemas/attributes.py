"""How attributes of an event may be called: lower-case letters and digits (CloudEvents 1.0.2, "Naming conventions").

Other spellings are refused, not folded: ``workflowId`` beside ``workflowid``, or ``ID`` beside ``id``, would be two
attributes to one reader and one to another, and each reader would decide for itself which of them counts.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

from app.domain.errors import FieldError
from app.domain.nearest import meant
from schemas.event import Event

_NAME: Final = re.compile(r"[a-z0-9]+")
_NO_PART: Final = re.compile(r"[^a-z0-9]+")
_RULE: Final = "attribute names are lower-case letters and digits"
_PLAIN: Final = "an attribute of one's own holds no object or array; the data goes into data"
_HOLDS_OBJECTS: Final = ("data",)
_MOST: Final = 100
_MOST_CHARS: Final = 100


def misnamed(attributes: Mapping[str, Any]) -> Sequence[FieldError]:
    """Return the attributes that cannot be called so, at most 100 of them; empty for an event that keeps the rule."""
    wrong = (name for name in attributes if not _NAME.fullmatch(name))
    return [FieldError(name[:_MOST_CHARS], _why(name)) for name in islice(wrong, _MOST)]


def structured(attributes: Mapping[str, Any]) -> Sequence[FieldError]:
    """Return the extension attributes that hold an object or an array, which none may (CloudEvents 1.0.2, "Types")."""
    wrong = (
        name
        for name, value in attributes.items()
        if isinstance(value, dict | list) and name not in Event.model_fields and _NAME.fullmatch(name)
    )
    return [FieldError(name[:_MOST_CHARS], f"{_PLAIN}{meant(name, _HOLDS_OBJECTS)}") for name in islice(wrong, _MOST)]


def _why(name: str) -> str:
    meant = _NO_PART.sub("", name[:_MOST_CHARS].lower())
    if meant == "workflowid":
        return f"{_RULE}; workflowid is reserved, too: it is Headrace's own"
    return f"{_RULE}; is {meant} meant?" if meant in Event.model_fields else _RULE
