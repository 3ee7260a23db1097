"""What may not be meant so in a workflow, by the events that were seen: a type or a path that none of them has.

A workflow may be written before its first event comes, so that nothing of this is an error.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from app.domain.event_fields import EventFields
from app.domain.profiles import CURRENT_ROOT
from app.domain.secret_names import SECRETS_ROOT
from app.domain.templating.plain import plain_parts
from app.services.operations.event_types import Snapshot
from schemas.event_types import alike, is_known_type, resembled
from schemas.field_errors import path_text

# Fewer events do not tell what events of a type have.
_ENOUGH: Final = 5
_MOST_HINTS: Final = 10
_MOST_LOOKED_AT: Final = 500
_MAX_TEXT_CHARS: Final = 10_000
# What paths begin with that do not lead into the event's data.
_ELSEWHERE: Final = frozenset({"event", "results", "workflow", "execution", CURRENT_ROOT, SECRETS_ROOT})
_GROUPS: Final = ("all", "any", "not")

Place = tuple[int | str, ...]


def hints_of(body: Mapping[str, Any], found: Snapshot) -> list[str]:
    """Return the hints on a workflow.

    Args:
        body: Its ``trigger``, ``conditions`` and ``actions`` as JSON, right or not.
        found: What was seen.
    """
    trigger = body.get("trigger")
    kind = trigger.get("type") if isinstance(trigger, Mapping) else None
    if not isinstance(kind, str):
        return []
    hint = type_hint(kind, found)
    seen = found.types.get(kind)
    hints = [] if hint is None else [hint]
    if seen is not None and seen.fields.objects >= _ENOUGH:
        paths = islice(_paths(body), _MOST_LOOKED_AT)
        # Each costs a comparison with other names: what there are more of is not looked for.
        hints += islice(filter(None, (_path_hint(kind, *one, seen.fields) for one in paths)), _MOST_HINTS)
    return hints


def type_hint(kind: str, found: Snapshot) -> str | None:
    """Return what is asked about a type that neither is known nor was seen, but resembles one; else None."""
    if is_known_type(kind) or kind in found.types:
        return None
    known = resembled(kind)
    if known is not None:
        return f"trigger.type: {kind} is no known event type; is {known} meant?"
    seen = _alike(kind, tuple(found.types))
    return f"trigger.type: no event of {kind} was seen lately; is {seen}, which was, meant?" if seen else None


@lru_cache(maxsize=1024)
def _alike(kind: str, types: tuple[str, ...]) -> str | None:
    return alike(kind, types)


def _path_hint(kind: str, place: Place, path: str, fields: EventFields) -> str | None:
    meant = fields.lacks(path)
    if meant is None:
        return None
    asked = f"; is {meant} meant?" if meant else ""
    return f"{path_text(place)}: no {kind} that was seen lately has {path}{asked}"


def _paths(body: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Yield where paths into the event's data stand, and the paths."""
    for place, path in _all_paths(body):
        if path.partition(".")[0] not in _ELSEWHERE:
            yield place, path


def _all_paths(body: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    yield from _in_conditions(body.get("conditions"), ("conditions",))
    actions = body.get("actions")
    for number, action in enumerate(actions if isinstance(actions, list) else ()):
        if isinstance(action, Mapping):
            yield from _in_conditions(action.get("conditions"), ("actions", number, "conditions"))
            yield from _in_texts(action.get("config"), ("actions", number, "config"))


def _in_conditions(item: Any, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(item, list):
        for number, member in enumerate(item):
            yield from _in_conditions(member, (*place, number))
    if isinstance(item, Mapping):
        if isinstance(path := item.get("field"), str):
            yield (*place, "field"), path
        for name in _GROUPS:
            yield from _in_conditions(item.get(name), (*place, name))


def _in_texts(item: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """Yield the paths of texts that are templates of text and paths alone; others may have variables of their own."""
    if isinstance(item, str) and "{{" in item and len(item) <= _MAX_TEXT_CHARS:
        for part in plain_parts(item) or ():
            if isinstance(part, tuple):
                yield place, ".".join(part)
    members: Any = item.items() if isinstance(item, Mapping) else enumerate(item) if isinstance(item, list) else ()
    for key, member in members:
        yield from _in_texts(member, (*place, key))
