"""What is different between two JSON values: as few changes as read well, which applied to the one give the other.

Items of a list are paired where they are equal, and between those where they look alike; what has no partner was
removed or added. Changes are in the order in which they are applied: inside of what stays first, then what goes (from
the end on, so that positions stay true), then what comes (from the start on). So a change or a removal is at its
position in the old list, an addition at its position in the new one.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final, Literal

Step = str | int
Kind = Literal["added", "removed", "changed"]

# What an object is known by, in the order of how much it tells.
_NAMES: Final = ("type", "field")
# Lists whose items are too many to be compared with each other are told as a whole.
_MOST_COMPARED: Final = 40_000
_LEAF: Final = (str, int, float, bool, type(None))


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        path: Keys and positions that lead to it.
        before: What was there; None where something was added.
        after: What is there; None where something was removed.
    """

    kind: Kind
    path: tuple[Step, ...]
    before: Any = None
    after: Any = None

    @property
    def place(self) -> str:
        """The path as errors name it: ``actions[1].config.url``."""
        return shown_path(self.path)


def shown_path(path: Sequence[Step]) -> str:
    """Return a path as errors name it."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are the same, type by type: ``1`` is neither ``true`` nor ``1.0``."""
    return _canonical(one) == _canonical(other)


def difference(before: Any, after: Any) -> list[Change]:
    """Return the changes that make ``after`` of ``before``."""
    return list(_changes(before, after, ()))


def apply(value: Any, changes: Iterable[Change]) -> Any:
    """Return what changes make of a value; it stays as it is."""
    whole = {"": deepcopy(value)}
    for change in changes:
        target: Any = whole
        *way, last = ("", *change.path)
        for step in way:
            target = target[step]
        if change.kind == "removed":
            del target[last]
        elif isinstance(target, list) and isinstance(last, int) and change.kind == "added":
            target.insert(last, deepcopy(change.after))
        else:
            target[last] = deepcopy(change.after)
    return whole[""]


def _changes(before: Any, after: Any, path: tuple[Step, ...]) -> Iterator[Change]:
    if same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_objects(before, after, path)
    elif isinstance(before, list) and isinstance(after, list) and len(before) * len(after) <= _MOST_COMPARED:
        yield from _of_lists(before, after, path)
    else:
        yield Change("changed", path, before, after)


def _of_objects(before: dict[str, Any], after: dict[str, Any], path: tuple[Step, ...]) -> Iterator[Change]:
    for key, value in before.items():
        if key in after:
            yield from _changes(value, after[key], (*path, key))
    yield from (Change("removed", (*path, key), before=value) for key, value in before.items() if key not in after)
    yield from (Change("added", (*path, key), after=value) for key, value in after.items() if key not in before)


def _of_lists(before: list[Any], after: list[Any], path: tuple[Step, ...]) -> Iterator[Change]:
    pairs = pairing(before, after)
    for old, new in pairs:
        yield from _changes(before[old], after[new], (*path, old))
    stay, known = {old for old, _ in pairs}, {new for _, new in pairs}
    for old in reversed(range(len(before))):
        if old not in stay:
            yield Change("removed", (*path, old), before=before[old])
    for new in range(len(after)):
        if new not in known:
            yield Change("added", (*path, new), after=after[new])


def pairing(before: Sequence[Any], after: Sequence[Any]) -> list[tuple[int, int]]:
    """Return which item of the one list became which of the other, both in their order."""
    texts = [_canonical(item) for item in before], [_canonical(item) for item in after]
    pairs: list[tuple[int, int]] = []
    for kind, a, a_end, b, b_end in SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        if kind == "equal":
            pairs += zip(range(a, a_end), range(b, b_end), strict=True)
        elif kind == "replace":
            pairs += _alike(before, after, range(a, a_end), range(b, b_end))
    return pairs


def _alike(before: Sequence[Any], after: Sequence[Any], old: range, new: range) -> Iterator[tuple[int, int]]:
    """Pair what goes by the same name; all by position where both have as many."""
    names = [_name(before[at]) for at in old], [_name(after[at]) for at in new]
    if len(old) == len(new) and (len(old) == 1 or names[0] == names[1]):
        yield from zip(old, new, strict=True)
        return
    for a, b, size in SequenceMatcher(None, *names, autojunk=False).get_matching_blocks():
        yield from zip(old[a : a + size], new[b : b + size], strict=True)


def _name(item: Any) -> str:
    if isinstance(item, dict):
        known = [item[name] for name in _NAMES if isinstance(item.get(name), str)]
        return f"{{{known[0] if known else ','.join(sorted(item))}"
    return "leaf" if isinstance(item, _LEAF) else "list"


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
