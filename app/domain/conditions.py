"""Conditions: compiled once per revision, evaluated once per event, each with its reason (docs/design.md#9-conditions).

Conditions are a list of ``{field, operator, value}``, each with an optional ``logic`` (``AND`` if left out) that joins
it to the next; AND binds tighter than OR, and the last one's ``logic`` joins to nothing. In place of a condition a
group may stand: ``{"all": [...]}``, ``{"any": [...]}`` or ``{"not": condition or list}``. Groups nest; the members of
``all`` and ``any`` are joined by the group, so a ``logic`` that says otherwise is refused there. No conditions: met;
so is an empty ``all``, and an empty ``any`` is not.

``field`` is a dotted path into the event's data. If it starts with ``event`` it is one into the envelope
(``event.type``); and where the scope has ``results`` or ``current``, ``results.…`` or ``current.…`` is one into those.

Every condition is evaluated, also where the outcome is clear already, so that the log explains the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final, Literal

from app.domain.comparisons import NEGATIVES, OPERATORS, compile_comparison
from app.domain.condition_tree import Group, Leaf, Node
from app.domain.errors import FieldError, InvalidError
from app.domain.nearest import meant, nearest
from app.domain.operands import OperandError
from app.domain.paths import Path, parse_path
from app.domain.profiles import CURRENT_NAMES, CURRENT_ROOT
from app.domain.reasons import Comparison
from app.domain.secret_names import SECRETS_ROOT
from app.domain.verdicts import Evaluation, Scope, Verdict
from app.domain.wall import WallReachedError, walled

__all__ = ["CompiledConditions", "ConditionError", "Evaluation", "Scope", "Verdict", "compile_conditions"]

CurrentFields = Literal["data", "read", "refused"]

MAX_CONDITIONS: Final = 100
MAX_DEPTH: Final = 10
_MAX_QUOTED: Final = 100
_LOGICS: Final = ("AND", "OR")
_EMPTY: Final = "must hold at least one condition"
_GROUP_LOGIC: Final[Mapping[str, str]] = {"all": "AND", "any": "OR"}
_LEAF_KEYS: Final = ("field", "operator", "value", "logic")
# Keys of one condition that are said to be unknown, of however many.
_MAX_UNKNOWN: Final = 10
_NOTHING: Final = Group("all", "", ())


class ConditionError(InvalidError):
    """A condition that can't be compiled.

    Attributes:
        path: Where, such as ``conditions[2].all[0].operator``.
        message: What is wrong there.
    """

    def __init__(self, path: str, message: str, *more: FieldError) -> None:
        super().__init__([FieldError(path, message), *more])
        self.path = path
        self.message = message


class CompiledConditions:
    """A condition list, ready to be evaluated any number of times.

    Attributes:
        current: Which members of ``current`` it looks at.
    """

    __slots__ = ("_tree", "current")

    def __init__(self, tree: Group, current: frozenset[str]) -> None:
        self._tree = tree
        self.current = current

    @property
    def none(self) -> bool:
        """Whether there is nothing to evaluate."""
        return self._tree.empty

    def evaluate(self, scope: Scope) -> Evaluation:
        """Evaluate every condition; raises on no JSON but what takes too long.

        Raises:
            WallReachedError: They take more than 250 ms of CPU for these values.
        """
        return walled(self._evaluate, scope)

    def _evaluate(self, scope: Scope) -> Evaluation:
        verdicts: list[Verdict] = []
        met = self._tree.holds(scope, verdicts)
        return Evaluation(met, verdicts)


def compile_conditions(
    conditions: Sequence[Mapping[str, Any]],
    at: str = "conditions",
    *,
    current: CurrentFields = "data",
    stored: bool = False,
) -> CompiledConditions:
    """Compile a condition list.

    Args:
        conditions: As the module describes; at most 100 conditions and groups, nested at most 10 deep.
        at: What the list is called in error paths, such as ``actions[0].conditions``.
        current: What ``current.…`` is: ``read`` where the evaluation has it looked up, ``refused`` where nothing is
            looked up, ``data`` for a field of the event's data like any other.
        stored: They were saved: what was accepted once is still compiled, and its verdicts say what is wrong with it.

    Raises:
        ConditionError: Something is wrong: the first, with its path, and in ``errors`` all of it.
    """
    compiler = _Compiler(at, current, stored=stored)
    try:
        tree = Group("all", "", walled(compiler.runs, conditions, "", 0))
    except WallReachedError as error:
        raise ConditionError(at, str(error)) from None
    if compiler.errors:
        first, *more = compiler.errors
        raise ConditionError(first.path, first.message, *more)
    return CompiledConditions(tree, frozenset(compiler.current))


def _meant_operator(written: Any) -> str:
    """Return the operator that was meant by one that there is not: with the same signs, or nearly spelt so."""
    if not isinstance(written, str):
        return ""
    turned = (one for one in OPERATORS if sorted(one) == sorted(written[:_MAX_QUOTED]))
    return next(turned, "") or nearest(written, OPERATORS)


class _Compiler:
    """Compiles one list; what is wrong is collected, so that all of it is said at once.

    A ``where`` is a place below the list, such as ``[1].all[0]``.
    """

    def __init__(self, at: str, current: CurrentFields, *, stored: bool) -> None:
        self._at = at
        self._stored = stored
        self._count = 0
        self._mode = current
        self.current: set[str] = set()
        self.errors: list[FieldError] = []

    def runs(self, items: Any, where: str, depth: int) -> tuple[tuple[Node, ...], ...]:
        """A list joined by each member's own ``logic``, as the OR of runs of AND."""
        runs: list[list[Node]] = [[]]
        members = self._members(items, where)
        for index, item in enumerate(members):
            place = f"{where}[{index}]"
            runs[-1].append(self._node(item, place, depth))
            if isinstance(item, Mapping) and self._logic(item, place) == "OR" and index + 1 < len(members):
                runs.append([])
        return tuple(map(tuple, runs))

    def _wrong(self, where: str, message: str) -> Group:
        """Note what is wrong; returns what stands in its place, in a tree that is never used."""
        self.errors.append(FieldError(self._at + where, message))
        return _NOTHING

    def _members(self, items: Any, where: str) -> Sequence[Any]:
        if not isinstance(items, (list, tuple)):
            self._wrong(where, "must be a list of conditions")
            return ()
        return items

    def _logic(self, item: Mapping[str, Any], where: str) -> str:
        logic = item.get("logic")
        if logic is not None and logic not in _LOGICS:
            self._wrong(f"{where}.logic", "must be AND or OR")
            return "AND"
        return logic or "AND"

    def _node(self, item: Any, where: str, depth: int) -> Node:
        self._count += 1
        if self._count > MAX_CONDITIONS:
            raise ConditionError(self._at, f"must hold at most {MAX_CONDITIONS} conditions and groups", *self.errors)
        if not isinstance(item, Mapping):
            return self._wrong(where, "must be an object: a condition or a group")
        groups = [name for name in ("all", "any", "not") if name in item]
        if not groups:
            return self._leaf(item, where, nested=depth > 0)
        if len(groups) > 1 or item.keys() - {groups[0], "logic"}:
            self._wrong(where, "must be one group and its logic, and nothing else")
        if depth >= MAX_DEPTH:
            return self._wrong(where, f"must nest at most {MAX_DEPTH} deep")
        # Each of several groups is looked into, for what is wrong in it.
        first, *_ = [self._group(name, item[name], where, depth + 1) for name in groups]
        return first

    def _group(self, name: str, value: Any, where: str, depth: int) -> Group:
        inner = f"{where}.{name}"
        if not value and isinstance(value, list | tuple) and not self._stored:
            return self._wrong(inner, _EMPTY)
        if name == "not":
            if isinstance(value, Mapping):
                return Group(name, where, ((self._node(value, inner, depth),),))
            return Group(name, where, self.runs(value, inner, depth))
        nodes = []
        for index, item in enumerate(self._members(value, inner)):
            place = f"{inner}[{index}]"
            nodes.append(self._node(item, place, depth))
            if isinstance(item, Mapping) and item.get("logic") not in (None, _GROUP_LOGIC[name]):
                self._wrong(f"{place}.logic", f"must be left out: {name} joins with {_GROUP_LOGIC[name]}")
        return Group(name, where, (tuple(nodes),) if name == "all" else tuple((node,) for node in nodes))

    def _leaf(self, item: Mapping[str, Any], where: str, *, nested: bool) -> Node:
        before = len(self.errors)
        self._keys(item, where)
        path = self._path(item["field"], f"{where}.field") if "field" in item else None
        operator: Any = item.get("operator")
        value = item.get("value")
        if "operator" in item and operator not in OPERATORS:
            near = _meant_operator(operator)
            said = f": is {near} meant?" if near else ""
            self._wrong(f"{where}.operator", f"must be one of {' '.join(OPERATORS)}{said}")
            if near and "value" in item:
                self._comparison(NEGATIVES.get(near, near), value, f"{where}.value")
        elif "operator" in item and "value" in item:
            positive = NEGATIVES.get(operator, operator)
            comparison = self._comparison(positive, value, f"{where}.value")
            if path is not None and comparison is not None and len(self.errors) == before:
                return Leaf(
                    path, operator, value, comparison, negative=positive != operator, at=where if nested else ""
                )
        return _NOTHING

    def _keys(self, item: Mapping[str, Any], where: str) -> None:
        for key in ("field", "operator", "value"):
            if key not in item:
                self._wrong(f"{where}.{key}", "is missing")
        for key in islice((key for key in item if key not in _LEAF_KEYS), _MAX_UNKNOWN):
            self._wrong(f"{where}.{key[:_MAX_QUOTED]}", f"is no part of a condition{meant(key, _LEAF_KEYS)}")

    def _comparison(self, positive: str, value: Any, where: str) -> Comparison | None:
        try:
            return compile_comparison(positive, value, stored=self._stored)
        except OperandError as error:
            self._wrong(f"{where}{error.at}", str(error))
        except ValueError as error:
            self._wrong(where, str(error))
        return None

    def _path(self, text: Any, where: str) -> Path | None:
        if not isinstance(text, str):
            self._wrong(where, "must be a dotted path such as order.total")
            return None
        try:
            path = parse_path(text)
            self._note_root(path.root, text.split("."))
        except ValueError as error:
            self._wrong(where, str(error))
            return None
        return path

    def _note_root(self, root: str, names: Sequence[str]) -> None:
        if root == SECRETS_ROOT:
            raise ValueError("is no field: secrets can be used in templates of actions only")
        if root == CURRENT_ROOT:
            self._note_current(names)

    def _note_current(self, names: Sequence[str]) -> None:
        if self._mode == "refused":
            raise ValueError("is looked up when a step runs: current can be used in an action's own conditions only")
        if self._mode == "read":
            if len(names) == 1 or names[1] not in CURRENT_NAMES:
                raise ValueError("must begin with current.customer or current.order")
            self.current.add(names[1])
