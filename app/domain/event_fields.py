"""Which fields objects have, learnt by looking at many: paths as conditions write them, types, how often each is there.

What is looked at comes from outside, so that all of it is bounded: levels, fields, members of an object, values of one
object, characters. Keys that are no names but data (ids, addresses, whatever differs from object to object) are one
field, ``*``; the elements of an array are one too, ``0``, so that its path can be used as it is.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import Any, Final

from app.domain.nearest import nearest
from app.domain.times import parse_time
from app.domain.values import read_decimal

ANY: Final = "*"
ELEMENT: Final = "0"
MAX_FIELDS: Final = 300
_MAX_LEVELS: Final = 8
_MAX_VALUES: Final = 2_000
_MAX_ELEMENTS: Final = 20
# More different keys than that, or so many of which none comes again, are the keys of a map.
_MAX_MEMBERS: Final = 60
_MANY_MEMBERS: Final = 8
_MANY_OBJECTS: Final = 20
_SELDOM: Final = 0.1
_MAX_EXAMPLES: Final = 3
_MAX_EXAMPLE_CHARS: Final = 80
_FORMATTED_CHARS: Final = 64

_NAME: Final = re.compile(r"[^\W\d][\w-]{0,47}")
_ID: Final = re.compile(r"[A-Za-z]{1,5}-\d+|[0-9a-fA-F]{8,}")
_MANY_DIGITS: Final = 3
_TYPES: Final = ("string", "integer", "number", "boolean", "object", "array", "null")
_TYPE_OF: Final[Mapping[type, str]] = dict(zip((str, int, float, bool, dict, list, type(None)), _TYPES, strict=True))


@dataclass(frozen=True, slots=True)
class SeenField:
    """A field.

    Attributes:
        path: With ``0`` for any element of an array and ``*`` for any key of a map.
        types: What JSON calls its types, other than null where there are others.
        present: In which share of the objects it is there, null or not.
        nullable: Whether it was null.
        format: ``date-time`` or ``decimal``, where each of its texts was such.
        examples: Some of its values, where it is a text, a number or a boolean.
    """

    path: str
    types: tuple[str, ...]
    present: float
    nullable: bool
    format: str | None
    examples: tuple[Any, ...]


@dataclass(slots=True)
class _Node:
    count: int = 0
    last: int = -1  # the object that was counted last
    types: set[str] = field(default_factory=set)
    formats: set[str] = field(default_factory=lambda: {"date-time", "decimal"})
    examples: list[Any] = field(default_factory=list)
    members: dict[str, "_Node"] = field(default_factory=dict)
    collapsed: bool = False  # its keys are data

    def merge(self, other: "_Node") -> None:
        """Take in what another has seen; objects that both were in count once too often, up to its parent's."""
        self.count += other.count
        self.last = max(self.last, other.last)
        self.types |= other.types
        self.formats &= other.formats
        for example in other.examples:
            self.note_example(example)
        for name, member in other.members.items():
            if name in self.members:
                self.members[name].merge(member)
            else:
                self.members[name] = member

    def note_example(self, value: Any) -> None:
        """Keep a value as an example, where there is room and it is another one."""
        if len(self.examples) < _MAX_EXAMPLES and not any(
            type(one) is type(value) and one == value for one in self.examples
        ):
            self.examples.append(value)

    @property
    def named(self) -> "list[_Node]":
        """Its members that have names of their own."""
        return [member for name, member in self.members.items() if name not in {ANY, ELEMENT}]

    def is_map(self) -> bool:
        """Tell whether its keys are data: none of many comes again."""
        named = self.named
        if self.collapsed or len(named) < _MANY_MEMBERS or self.count < _MANY_OBJECTS:
            return self.collapsed
        return all(member.count <= _SELDOM * self.count for member in named)


class EventFields:
    """Learns the fields of objects."""

    def __init__(self) -> None:
        self._root = _Node()
        self._fields = 0
        self._whole = True
        self._listed: list[SeenField] | None = None

    @property
    def objects(self) -> int:
        """How many were looked at."""
        return self._root.count

    def add(self, data: Mapping[str, Any]) -> None:
        """Look at one more."""
        serial, self._listed = self._root.count, None
        pending: list[tuple[_Node, Any, int]] = [(self._root, data, 0)]
        looked = 0
        while pending:
            node, value, level = pending.pop()
            looked += 1
            if looked > _MAX_VALUES:
                self._whole = False
                return
            self._note(node, value, serial)
            if isinstance(value, dict | list) and value:
                pending.extend(self._below(node, value, level))

    def listed(self) -> Sequence[SeenField]:
        """Return the fields, each after the one that it is in."""
        if self._listed is None:
            self._listed = list(_listed(self._root, "", self.objects))
        return self._listed

    def lacks(self, path: str) -> str | None:
        """Return the path that was perhaps meant where no object had this one, empty where none comes near; else None.

        None also where it may have been passed over.
        """
        node, names = self._root, path.split(".")
        for number, name in enumerate(names):
            key = ELEMENT if "array" in node.types and name.isdigit() else _name(name)
            if key not in node.members:
                if key in {ANY, ELEMENT} or node.is_map() or not self._whole:
                    return None
                near = nearest(name, node.members.keys() - {ANY, ELEMENT})
                return ".".join([*names[:number], near, *names[number + 1 :]]) if near else ""
            node = node.members[key]
        return None

    def _below(self, node: _Node, value: dict[str, Any] | list[Any], level: int) -> Iterator[tuple[_Node, Any, int]]:
        most = _MAX_ELEMENTS if isinstance(value, list) else _MAX_VALUES
        if level >= _MAX_LEVELS or len(value) > most:
            self._whole = False
        if level >= _MAX_LEVELS:
            return
        members = zip(repeat(ELEMENT), value) if isinstance(value, list) else value.items()
        for key, member in islice(members, most):
            below = self._member(node, key if isinstance(value, list) else _name(key))
            if below is not None:
                yield below, member, level + 1

    def _member(self, node: _Node, name: str) -> _Node | None:
        name = ANY if node.collapsed and name != ELEMENT else name
        if name in node.members:
            return node.members[name]
        if name not in {ANY, ELEMENT} and len(node.named) >= _MAX_MEMBERS:
            self._fields -= _collapse(node)
            return node.members[ANY]
        if self._fields >= MAX_FIELDS:
            self._whole = False
            return None
        self._fields += 1
        return node.members.setdefault(name, _Node())

    @staticmethod
    def _note(node: _Node, value: Any, serial: int) -> None:
        if node.last != serial:
            node.count, node.last = node.count + 1, serial
        node.types.add(_TYPE_OF.get(type(value), "null"))
        if isinstance(value, str):
            node.formats &= _formats(value) if node.formats else node.formats
            node.note_example(value if len(value) <= _MAX_EXAMPLE_CHARS else value[:_MAX_EXAMPLE_CHARS] + "…")
        elif isinstance(value, bool | int | float):
            node.note_example(value)


def _name(key: str) -> str:
    """Return a key as a field's name; ``*`` where it is data, or no path could name it."""
    if not _NAME.fullmatch(key) or _ID.fullmatch(key) or sum(map(str.isdigit, key)) >= _MANY_DIGITS:
        return ANY
    return key


def _formats(text: str) -> set[str]:
    if len(text) > _FORMATTED_CHARS:
        return set()
    found = {"date-time"} if parse_time(text) is not None else set()
    return found | {"decimal"} if read_decimal(text) is not None else found


def _collapse(node: _Node) -> int:
    """Make the members of an object one, and return how many fields that frees."""
    before, one = _size(node), _Node()
    for name in [name for name in node.members if name != ELEMENT]:
        one.merge(node.members.pop(name))
    one.count = min(one.count, node.count)
    node.members[ANY], node.collapsed = one, True
    return before - _size(node)


def _size(node: _Node) -> int:
    return sum(1 + _size(member) for member in node.members.values())


def _listed(node: _Node, above: str, objects: int) -> Iterator[SeenField]:
    if node.is_map() and not node.collapsed:
        _collapse(node)
    for name, member in node.members.items():
        path = f"{above}{name}"
        types = tuple(one for one in _TYPES if one in member.types and (one != "null" or len(member.types) == 1))
        formats = member.formats if "string" in member.types else set()
        yield SeenField(
            path=path,
            types=types,
            present=min(1.0, round(member.count / max(1, objects), 3)),
            nullable="null" in member.types,
            format=min(formats, default=None),
            examples=tuple(member.examples),
        )
        yield from _listed(member, f"{path}.", objects)
