"""Where in a record stands what has to be decoded: by the schema that Connect's JSON converter adds, or by paths. Pure.

Both become one tree, which is walked beside the record, so that each value is decoded at most once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Protocol

from app.domain.connect_values import Convert, MisfitError, converter, schema_converter
from app.domain.paths import parse_path
from app.domain.values import kind

# So many characters may come of a record's values, each counted as sixteen at least: a scale of 4,000 makes as many
# zeros of four bytes.
MAX_DECODED: Final = 1_048_576
_LEAST_COUNTED: Final = 16
EVERY: Final = "*"
_SHOWN_CHARS: Final = 100
_PAIR: Final = 2
_Place = tuple[str | int, ...]


class WrongValueError(ValueError):
    """A value does not fit its type; the text names its path and the value."""


class Exact:
    """A record's numbers as they are written; it is parsed again only where a float would have lost digits.

    Args:
        raw: The record's JSON, which parses.
        below: Where in it the decoded value stands.
    """

    def __init__(self, raw: bytes, below: _Place = ()) -> None:
        self._raw = raw
        self._below = below
        self._parsed: Any = None
        self._made = 0

    def at(self, place: _Place) -> Any:
        """Return the value at a place."""
        if self._parsed is None:
            self._parsed = json.loads(self._raw, parse_float=Decimal)
        value = self._parsed
        for step in (*self._below, *place):
            value = value[step]
        return value

    def count(self, decoded: Any) -> None:
        """Count what was made of a value.

        Raises:
            MisfitError: It is more than may be made of one record.
        """
        self._made += max(_LEAST_COUNTED, len(decoded) if isinstance(decoded, str) else 0)
        if self._made > MAX_DECODED:
            raise MisfitError(f"is too much beside the others: they become more than {MAX_DECODED} characters")


class Decoder(Protocol):
    """Decodes a value and what is in it."""

    def decode(self, value: Any, exact: Exact, place: _Place = ()) -> Any:
        """Return it decoded; objects and arrays are changed in place.

        Raises:
            WrongValueError: Something does not fit its type.
        """


@dataclass(frozen=True, slots=True)
class _Leaf:
    """One value; null stays null."""

    convert: Convert

    def decode(self, value: Any, exact: Exact, place: _Place = ()) -> Any:
        if value is None:
            return None
        if isinstance(value, float):
            value = exact.at(place)
        try:
            decoded = self.convert(value)
            exact.count(decoded)
        except MisfitError as error:
            raise WrongValueError(f"{'.'.join(map(str, place))}: {_quoted(value)} {error}") from None
        return decoded


def _quoted(value: Any) -> str:
    """Return a value as an error names it: a beginning, of arrays and objects no more than what they are."""
    if isinstance(value, dict | list):
        return f"the {kind(value)} of {len(value)}"
    shown = (
        str(value)
        if isinstance(value, Decimal)
        else repr(value[: _SHOWN_CHARS + 1] if isinstance(value, str) else value)
    )
    return shown if len(shown) <= _SHOWN_CHARS else f"{shown[:_SHOWN_CHARS]}…"


@dataclass(slots=True)
class _Members:
    """An object or array: some of its members by name, or every other one the same way."""

    named: dict[str, Decoder] = field(default_factory=dict)
    every: Decoder | None = None

    def decode(self, value: Any, exact: Exact, place: _Place = ()) -> Any:
        if isinstance(value, dict):
            for name in value if self.every is not None else self.named:
                found = self.named.get(name, self.every)
                if found is not None and name in value:
                    value[name] = found.decode(value[name], exact, (*place, name))
        elif isinstance(value, list):
            for index, member in enumerate(value):
                found = self.named.get(str(index), self.every)
                if found is not None:
                    value[index] = found.decode(member, exact, (*place, index))
        return value


@dataclass(frozen=True, slots=True)
class _Pairs:
    """A map whose keys are no texts: the converter writes it as an array of ``[key, value]``."""

    sides: tuple[Decoder | None, Decoder | None]

    def decode(self, value: Any, exact: Exact, place: _Place = ()) -> Any:
        for index, pair in enumerate(value if isinstance(value, list) else ()):
            if isinstance(pair, list) and len(pair) == _PAIR:
                for side, decoder in enumerate(self.sides):
                    if decoder is not None:
                        pair[side] = decoder.decode(pair[side], exact, (*place, index, side))
        return value


def decoder_of_schema(schema: Any) -> Decoder | None:
    """Return what decodes values of a Connect schema, as the JSON converter writes it; None: nothing is to be done."""
    if not isinstance(schema, dict):
        return None
    name, kind = schema.get("name"), schema.get("type")
    convert = schema_converter(name, schema.get("parameters")) if isinstance(name, str) else None
    if convert is not None:
        return _Leaf(convert)
    if kind == "struct":
        return _of_struct(schema.get("fields"))
    if kind == "array":
        items = decoder_of_schema(schema.get("items"))
        return None if items is None else _Members(every=items)
    return _of_map(schema) if kind == "map" else None


def _of_struct(fields: Any) -> Decoder | None:
    named: dict[str, Decoder] = {}
    for one in fields if isinstance(fields, list) else ():
        found = decoder_of_schema(one)
        if found is not None and isinstance(one.get("field"), str):
            named[one["field"]] = found
    return _Members(named) if named else None


def _of_map(schema: dict[str, Any]) -> Decoder | None:
    keys, values = schema.get("keys"), decoder_of_schema(schema.get("values"))
    if isinstance(keys, dict) and keys.get("type") == "string":
        return None if values is None else _Members(every=values)
    sides = decoder_of_schema(keys), values
    return None if sides == (None, None) else _Pairs(sides)


def decoder_of_types(types: Mapping[str, str]) -> Decoder | None:
    """Return what decodes values by their paths; a segment ``*`` is every member that no other path names.

    Raises:
        ValueError: A path cannot be read, a type is not known, or two are for one value; the message names the path.
    """
    root = _Members()
    for path, type_name in types.items():
        try:
            parse_path(path)
            _put(root, path.split("."), _Leaf(converter(type_name)))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    return root if types else None


def _put(members: _Members, segments: list[str], leaf: _Leaf) -> None:
    head, *rest = segments
    found = members.every if head == EVERY else members.named.get(head)
    if found is not None and not (rest and isinstance(found, _Members)):
        raise ValueError("has another type already, or what is in it has")
    below = found if isinstance(found, _Members) else _Members()
    if rest:
        _put(below, rest, leaf)
    if head == EVERY:
        members.every = below if rest else leaf
    else:
        members.named[head] = below if rest else leaf
