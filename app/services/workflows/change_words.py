"""What is different between two states of a workflow, in words a marketer reads: one sentence a change.

``Condition now *order total* is more than 1,000 instead of 500``. Conditions and steps are said in the words that the
editor has for them. Names of fields stand between asterisks, long values are cut. It takes any JSON: a draft may be
unfinished.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from app.actions.step_words import field_title, step_title
from app.domain.condition_words import Sayer, emphasized, number_words, quoted
from app.domain.structural_diff import Change, difference, pairing, same

MAX_VALUE_CHARS: Final = 80
MAX_CONDITION_CHARS: Final = 400
# How much of a step that is new is said.
_AT_MOST: Final = 8
_NAMES: Final = {
    "name": "Name",
    "description": "Description",
    "priority": "Priority",
    "reentry": "How often one may enter",
}


def in_words(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what makes ``after`` of ``before``, a sentence a change; none where nothing differs."""
    words: list[str] = []
    for name in dict.fromkeys([*_NAMES, "trigger", "conditions", "actions", *before, *after]):
        old, new = before.get(name), after.get(name)
        if (name in before) == (name in after) and same(old, new):
            continue
        if name == "trigger":
            words += _trigger(old, new)
        elif name == "conditions" and isinstance(old, list) and isinstance(new, list):
            words += _conditions(old, new, "Condition")
        elif name == "actions" and isinstance(old, list) and isinstance(new, list):
            words += _actions(old, new)
        else:
            words.append(_instead(_NAMES.get(name, _field(name)), old, new))
    return words


def _trigger(old: Any, new: Any) -> Iterator[str]:
    if old is None and isinstance(new, Mapping):
        yield f"Starts with *{_plain(new.get('type'))}*"
        old = {"type": new.get("type"), "config": {}}
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        yield _instead("Trigger", old, new)
        return
    if not same(old.get("type"), new.get("type")):
        yield f"Starts with *{_plain(new.get('type'))}* instead of *{_plain(old.get('type'))}*"
    rest = [{key: value for key, value in one.items() if key != "type"} for one in (old, new)]
    yield from (_of_change("Trigger", change) for change in difference(*rest))


def _conditions(old: Sequence[Any], new: Sequence[Any], noun: str) -> Iterator[str]:
    pairs = pairing(old, new)
    for a, b in pairs:
        if not same(old[a], new[b]):
            yield from _condition(old[a], new[b], noun)
    gone, come = {a for a, _ in pairs}, {b for _, b in pairs}
    yield from (f"{noun} removed: {_said(one)}" for at, one in enumerate(old) if at not in gone)
    yield from (f"{noun} added: {_said(one)}" for at, one in enumerate(new) if at not in come)


def _condition(old: Any, new: Any, noun: str) -> Iterator[str]:
    if not _is_leaf(old) or not _is_leaf(new) or not same(_meant(old), _meant(new)):
        yield f"{noun} now {_said(new)} instead of {_said_before(old, new)}"
    if not _is_leaf(old) or not _is_leaf(new):
        return
    logic = [str(one.get("logic") or "AND").lower() for one in (old, new)]
    if logic[0] != logic[1]:
        yield f"{noun} {_field(new['field'])} now joined to the next by {logic[1]} instead of {logic[0]}"
    elif same(_meant(old), _meant(new)):
        yield from (_of_change(f"{noun} {_field(new['field'])}", change) for change in difference(old, new))


def _said_before(old: Any, new: Any) -> str:
    """Say what a condition was: its value alone, where nothing else about it is different."""
    if _is_leaf(old) and _is_leaf(new) and _meant(old)[:2] == _meant(new)[:2]:
        values = [one.get("value") for one in (old, new)]
        if not any(value is None or isinstance(value, Mapping) for value in values):
            return _value(values[0])
    return _said(old)


def _meant(leaf: Mapping[str, Any]) -> list[Any]:
    return [leaf.get("field"), leaf.get("operator"), leaf.get("value")]


def _is_leaf(condition: Any) -> bool:
    return isinstance(condition, Mapping) and isinstance(condition.get("field"), str)


def _said(condition: Any) -> str:
    return _cut_to(_SAYER.one(condition), MAX_CONDITION_CHARS)


def _actions(old: Sequence[Any], new: Sequence[Any]) -> Iterator[str]:
    if len(old) == 1 and _only_ends(old[0]):
        old = []
        yield from () if new else ("No steps yet",)
    pairs = pairing(old, new)
    for a, b in pairs:
        if not same(old[a], new[b]):
            yield from _action(old[a], new[b], b + 1)
    gone, come = {a for a, _ in pairs}, {b for _, b in pairs}
    yield from (f"Step {at + 1} removed: {_titled(one)}" for at, one in enumerate(old) if at not in gone)
    yield from (f"Step {at + 1} added: {_titled(one)}" for at, one in enumerate(new) if at not in come)


def _only_ends(action: Any) -> bool:
    """Tell whether a step is the one of a workflow that was only begun, which nobody wrote."""
    return isinstance(action, Mapping) and action.get("type") == "stop_workflow" and not _has_more(action)


def _has_more(action: Mapping[str, Any]) -> bool:
    return any(action.get(name) for name in ("config", "conditions", "on_error"))


def _action(old: Any, new: Any, number: int) -> Iterator[str]:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        yield _instead(f"Step {number}", old, new)
        return
    noun = f"Step {number} ({_cut(step_title(new))})"
    if not same(old.get("type"), new.get("type")):
        yield f"Step {number} now {_titled(new)} instead of {_titled(old)}"
        return
    if isinstance(old.get("conditions"), list) and isinstance(new.get("conditions"), list):
        yield from _conditions(old["conditions"], new["conditions"], f"{noun}: condition")
    else:
        yield from (_of_change(noun, one) for one in difference(old.get("conditions"), new.get("conditions")))
    yield from (_of_change(noun, one, new.get("type")) for one in difference(old.get("config"), new.get("config")))
    rest = [{k: v for k, v in one.items() if k not in ("conditions", "config", "type")} for one in (old, new)]
    yield from (_of_change(noun, one) for one in difference(*rest))


def _of_change(noun: str, change: Change, action_type: Any = None) -> str:
    path = [str(step + 1) if isinstance(step, int) else step for step in change.path if step != "config"]
    if path and action_type is not None:
        path[0] = field_title(action_type, path[0])
    place = f"{noun}: {_field('.'.join(path))}" if path else noun
    if change.kind == "added":
        return f"{place} now {_value(change.after)}"
    if change.kind == "removed":
        return f"{place} removed, it was {_value(change.before)}"
    return _instead(place, change.before, change.after)


def _instead(what: str, old: Any, new: Any) -> str:
    if old is None:
        return f"{what} now {_value(new)}"
    if new is None:
        return f"{what} removed, it was {_value(old)}"
    return f"{what} now {_value(new)} instead of {_value(old)}"


def _titled(action: Any) -> str:
    if not isinstance(action, Mapping):
        return _value(action)
    config, title = action.get("config"), _cut(step_title(action))
    if not isinstance(config, Mapping):
        return f"{title} {_value(config)}" if config else title
    kind = action.get("type")
    told = (f"{_field(field_title(kind, str(name)))} {_value(one)}" for name, one in config.items())
    return ", ".join([title, *list(told)[:_AT_MOST]])


def _field(path: str) -> str:
    return emphasized(_cut(path))


def _plain(value: Any) -> str:
    return _cut(value) if isinstance(value, str) else _value(value)


def _value(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "nothing"}[value]
    if isinstance(value, int | float):
        return number_words(value)
    if isinstance(value, str):
        return _text(value)
    return _cut(json.dumps(value, ensure_ascii=False))


def _text(text: str) -> str:
    """Say a text in one line, with what no line can hold as JSON has it."""
    return quoted(json.dumps(_cut(text), ensure_ascii=False)[1:-1].replace('\\"', '"'))


def _cut(text: str) -> str:
    return _cut_to(text, MAX_VALUE_CHARS)


def _cut_to(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}\u2026"


_SAYER: Final = Sayer(_field, _text)
