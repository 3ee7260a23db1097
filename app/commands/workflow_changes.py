"""What a workflow in a file changes of the one that is there, in words."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from app.commands.showing import clean

_LONGEST: Final = 60
_MISSING: Final = object()
_DEFAULTS: Final[Mapping[str, Any]] = {"description": "", "priority": 5, "reentry": "always", "conditions": []}
WRITTEN: Final = ("name", "description", "priority", "reentry", "trigger", "conditions", "actions")


def normal(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a user writes of a workflow with what is left out filled in, so that two can be compared.

    What is of a wrong shape stays as it is: the API says what is wrong with it.
    """
    found = {name: raw.get(name, _DEFAULTS.get(name)) for name in WRITTEN}
    if isinstance(found["trigger"], Mapping):
        found["trigger"] = {"config": {}, **found["trigger"]}
    if isinstance(found["actions"], Sequence):
        found["actions"] = [_action(one) for one in found["actions"]]
    return found


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what ``after`` changes of ``before``, a line each; none where nothing."""
    lines: list[str] = []
    for name in WRITTEN:
        lines += _actions(before, after) if name == "actions" else _compared(name, before.get(name), after.get(name))
    return lines


def _action(action: Any) -> Any:
    if not isinstance(action, Mapping):
        return action
    filled = {"config": {}, "conditions": [], **action}
    return {name: value for name, value in filled.items() if (name, value) != ("on_error", None)}


def _actions(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Compare steps of the same ``order``, which is what tells one from another when some come or go."""
    old, new = _by_order(before.get("actions")), _by_order(after.get("actions"))
    if old is None or new is None:
        yield from _compared("actions", before.get("actions"), after.get("actions"))
        return
    for order in sorted({*old, *new}):
        step = f"step {order}"
        if order not in old:
            yield f"+ {step}: {new[order].get('type')} {short(new[order].get('config'))}"
        elif order not in new:
            yield f"- {step}: {old[order].get('type')}"
        else:
            yield from _compared(f"{step} ({new[order].get('type')})", old[order], new[order])


def _by_order(actions: Any) -> dict[int, Mapping[str, Any]] | None:
    if not isinstance(actions, Sequence) or not all(isinstance(one, Mapping) for one in actions):
        return None
    found = {one.get("order"): one for one in actions}
    distinct = len(found) == len(actions) and all(type(order) is int for order in found)
    return found if distinct else None


def _compared(path: str, before: Any, after: Any) -> Iterator[str]:
    if _same(before, after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in [*before, *(name for name in after if name not in before)]:
            below = f"{path}.{name}" if not path.endswith(")") else f"{path} {name}"
            yield from _compared(below, before.get(name, _MISSING), after.get(name, _MISSING))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for position, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _compared(f"{path}[{position}]", old, new)
    elif before is _MISSING:
        yield f"+ {path}: {short(after)}"
    elif after is _MISSING:
        yield f"- {path}: {short(before)}"
    else:
        yield f"  {path}: {short(before)} -> {short(after)}"


def _same(before: Any, after: Any) -> bool:
    """Tell whether two values are the same JSON: 1 and ``true`` are not, and 1 and 1.0 are one number."""
    if isinstance(before, bool) or isinstance(after, bool):
        return before is after
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return before.keys() == after.keys() and all(_same(before[name], after[name]) for name in before)
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_same, before, after))
    return bool(before == after)


def short(value: Any) -> str:
    """Return a value as JSON, cut where it is long."""
    text = clean(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
