"""What a condition saw, in words: ``order.total is 50, not more than 1,000``. Pure; short for any values.

Everything is taken from verdicts, as the log holds them: of the tree of conditions those are named that decided.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from app.domain.condition_words import spoken
from app.domain.reasons import MISSING_FIELD

Verdict = Mapping[str, Any]

MAX_VALUE_CHARS: Final = 80
_MAX_PATH_CHARS: Final = 120
_MAX_REASON_CHARS: Final = 160
_AS_TIMES: Final = "compared as times"
_AS_DAYS: Final = "compared as days"
_RELATIVE: Final = f"{_AS_TIMES}, with "
_READ: Final = "read as the number"

# What is said where the operator's positive form holds, and where it does not.
_WORDS: Final = {
    ">": ("more than {}", "not more than {}"),
    "<": ("less than {}", "not less than {}"),
    ">=": ("at least {}", "less than {}"),
    "<=": ("at most {}", "more than {}"),
    "==": ("as it must be", "not {}"),
    "contains": ("which contains {}", "which does not contain {}"),
    "in": ("one of {}", "none of {}"),
    "starts_with": ("which starts with {}", "which does not start with {}"),
    "ends_with": ("which ends with {}", "which does not end with {}"),
}
_TIMES: Final = {
    ">": ("after {}", "not after {}"),
    "<": ("before {}", "not before {}"),
    ">=": ("at or after {}", "before {}"),
    "<=": ("at or before {}", "after {}"),
    "==": ("the same time as {}", "not the same time as {}"),
}
_DAYS: Final = _TIMES | {
    ">=": ("on or after {}", "before {}"),
    "<=": ("on or before {}", "after {}"),
    "==": ("on {}", "not on {}"),
}
_LISTS: Final = {"in": ("which shares a value with {}", "which shares no value with {}")}
# Of what is missing, or of another type, no more can be said than that it does not hold.
_UNKNOWN: Final = {">=": "not at least {}", "<=": "not at most {}"}
_UNKNOWN_TIMES: Final = {">=": "not at or after {}", "<=": "not at or before {}"}
_NEGATIVES: Final = {"!=": "==", "not_contains": "contains", "not_in": "in"}
# Reasons that add nothing to the words.
_PLAIN: Final = ("compared as ", "compared with null", "looked up in ", "each member looked up in ")
_MOST_PARTS: Final = 2  # of a relative time: the distance and the time zone
_UNITS: Final = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How a field's path is said, and what JSON has words of its own for."""

    path: Callable[[str], str]
    constants: Mapping[bool | None, str]


AS_JSON: Final = Vocabulary(str, {True: "true", False: "false", None: "null"})
# As who writes a condition in the editor reads it (``condition_words``).
AS_SPOKEN: Final = Vocabulary(spoken, {True: "yes", False: "no", None: "empty"})


def observations(verdicts: Iterable[Verdict], *, met: bool, said: Vocabulary = AS_JSON) -> list[str]:
    """Return what was seen that made a condition list hold, or not hold: one text for each condition that decided."""
    known = [verdict for verdict in verdicts if "operator" in verdict]
    top = [verdict for verdict in known if not str(verdict.get("at") or "").partition(".")[2]]
    return list(_all_of(top, known, said, met=met, blamed=not met))


def _all_of(
    verdicts: Iterable[Verdict], known: Sequence[Verdict], said: Vocabulary, *, met: bool, blamed: bool
) -> Iterator[str]:
    for verdict in verdicts:
        if bool(verdict.get("met")) is met:
            yield from _seen(verdict, known, said, blamed=blamed)


def _seen(verdict: Verdict, known: Sequence[Verdict], said: Vocabulary, *, blamed: bool) -> Iterator[str]:
    """Say what decided about one verdict; ``blamed``: it keeps the whole from holding, no negation is around it."""
    operator, met = verdict["operator"], bool(verdict.get("met"))
    if operator not in ("all", "any", "not"):
        yield _sentence(verdict, said)
        return
    below = [one for one in known if _is_member(one, verdict)]
    negated = operator == "not"
    found = list(_all_of(below, known, said, met=met is not negated, blamed=blamed and not negated))
    if not found:
        yield f"of {_path(verdict, said)} {operator}, {verdict.get('reason')}"
    elif negated and blamed:
        yield f"{' and '.join(found)}, which must not be so"
    else:
        yield from found


def _is_member(verdict: Verdict, group: Verdict) -> bool:
    """Tell whether it stands in a group directly: at ``[1].all[0]`` in the one at ``[1]``."""
    at, before = str(verdict.get("at") or ""), f"{group.get('at') or ''}.{group['operator']}"
    return at.startswith(before) and "." not in at[len(before) :]


def _path(verdict: Verdict, said: Vocabulary) -> str:
    return _clean(said.path(str(verdict.get("path"))), _MAX_PATH_CHARS)


def _sentence(verdict: Verdict, said: Vocabulary) -> str:
    path, reason = _path(verdict, said), str(verdict.get("reason") or "")
    if reason.startswith(MISSING_FIELD):
        counts = reason[len(MISSING_FIELD) :]
        return f"{path} is missing{counts or ', ' + _words(verdict, reason, said).replace('which ', 'so it ', 1)}"
    plain = not reason or (reason.startswith(_PLAIN) and not reason.startswith(_AS_DAYS))
    added = "" if plain else f" ({_added(reason)})"
    return f"{path} is {_value(verdict.get('actual'), said)}, {_words(verdict, reason, said)}{added}"


def _added(reason: str) -> str:
    return "the text read as a number" if _READ in reason else _clean(reason, _MAX_REASON_CHARS)


def _words(verdict: Verdict, reason: str, said: Vocabulary) -> str:
    """Return how the value stands to the one it was compared with, whichever way the condition wanted it."""
    operator = str(verdict["operator"])
    positive = _NEGATIVES.get(operator, operator)
    holds = bool(verdict.get("met")) is (positive == operator)
    as_times = reason.startswith(_AS_TIMES) or _is_relative(verdict.get("expected"))
    as_days = as_times and "today" in str(verdict.get("expected"))
    table = _DAYS if as_days else _TIMES if as_times else _LISTS if isinstance(verdict.get("actual"), list) else {}
    words = table.get(positive) or _WORDS.get(positive) or ("which holds for {}", "which does not hold for {}")
    if operator == "!=" and holds:
        return "which it must not be"
    compared = reason.startswith(_PLAIN) or _READ in reason
    unknown = _UNKNOWN_TIMES if as_times else _UNKNOWN
    form = words[0] if holds else words[1] if compared else unknown.get(positive, words[1])
    return form.format(_expected(verdict.get("expected"), reason, said))


def _is_relative(expected: Any) -> bool:
    return isinstance(expected, dict) and ("now" in expected or "today" in expected) and len(expected) <= _MOST_PARTS


def _expected(value: Any, reason: str, said: Vocabulary) -> str:
    if _is_relative(value) and "now" in value:
        distance = _distance(str(value["now"]))
        moment = reason[len(_RELATIVE) :] if reason.startswith(_RELATIVE) else ""
        return f"{moment} ({distance})" if moment else distance
    if _is_relative(value):
        zone = f" in {value['timezone']}" if "timezone" in value else ""
        return _clean(f"{_distance(str(value['today']), 'today')}{zone}", MAX_VALUE_CHARS)
    return _value(value["json"] if isinstance(value, dict) and value.keys() == {"json"} else value, said, "or")


def _distance(text: str, now: str = "now") -> str:
    """Read ``-90d`` out: 90 days ago, counted from ``now``."""
    sign, count, unit = text[:1], text.strip("+-")[:-1].lstrip("0"), _UNITS.get(text[-1:])
    if unit is None or not count.isdecimal():
        return now
    spoken = f"{count} {unit}{'s' if count != '1' else ''}"
    if now != "now":
        return f"{spoken} {'before' if sign == '-' else 'after'} {now}"
    return f"{spoken} ago" if sign == "-" else f"in {spoken}"


def _value(value: Any, said: Vocabulary, joined_by: str = "and") -> str:
    """Return a value as people write it: numbers with commas, texts in quotes, lists as a phrase, long ones cut."""
    if isinstance(value, bool) or value is None:
        return said.constants[value]
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, dict) and value.get("cut") is True and "type" in value:
        return _cut_value(value)
    if isinstance(value, list):
        return _clean(_phrase(value, said, joined_by), MAX_VALUE_CHARS)
    return _clean(_json(value), MAX_VALUE_CHARS)


def _phrase(values: list[Any], said: Vocabulary, joined_by: str) -> str:
    """Say a list: ``"SP" or "RJ"``; one within it as JSON, so that it is told apart."""
    each = [_json(one) if isinstance(one, list) else _value(one, said) for one in values]
    return f"{', '.join(each[:-1])} {joined_by} {each[-1]}" if len(each) > 1 else "".join(each) or "an empty list"


def _number(value: float) -> str:
    if isinstance(value, float) and isfinite(value) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    return _clean(f"{value:,}", MAX_VALUE_CHARS)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _cut_value(mark: Mapping[str, Any]) -> str:
    """Say what a value was that took too much room for the log."""
    length = mark.get("length")
    many = f"{length:,}" if isinstance(length, int) else "many"
    if mark["type"] == "string":
        return f"{_clean(_json(str(mark.get('start', ''))), MAX_VALUE_CHARS)} ({many} characters)"
    return f"a long {_clean(mark['type'], MAX_VALUE_CHARS)} ({many} members)"


def _clean(text: Any, limit: int) -> str:
    """Cut a text, and escape what is no printable character: nothing in it may act on a program that shows it."""
    shown = str(text)
    shown = shown if len(shown) <= limit else shown[:limit] + "…"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in shown)
