"""An event's data as a tree, in the order in which a page writes it: what opens, what is in it, what closes."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from app.admin.pages.wording import count_of, number

# More would take a browser long to lay out; the rest is in the JSON beside it.
MOST_LINES: Final = 1500
MOST_CHARACTERS: Final = 30_000
_MOST_CHARS: Final = 2000
_OPEN_TO: Final = 3

Kind = Literal["open", "leaf", "close", "cut"]


class Line(NamedTuple):
    """A line of the tree.

    Attributes:
        name: The key, or the number in a list.
        text: The value, or how much is in it.
        type: What JSON calls it; a class of its colour.
        unfolded: Whether it is shown open.
    """

    kind: Kind
    name: str = ""
    text: str = ""
    type: str = ""
    unfolded: bool = False


def lines_of(value: Any) -> Iterator[Line]:
    """Yield the lines of a JSON value's members; without recursion, since it may be nested deep."""
    pending: list[tuple[str, Any, bool]] = [(name, member, False) for name, member in reversed(_members(value))]
    depth = count = characters = 0
    while pending:
        name, member, closes = pending.pop()
        if closes:
            depth -= 1
            yield Line("close")
            continue
        count, name = count + 1, _short(name)
        characters += len(name) + (min(len(member), _MOST_CHARS) if isinstance(member, str) else 0)
        if count > MOST_LINES or characters > MOST_CHARACTERS:
            yield Line("cut")
            yield from (Line("close") for *_, closes in pending if closes)
            return
        if not isinstance(member, dict | list) or not member:
            yield _leaf(name, member)
            continue
        depth += 1
        yield Line("open", name, _size(member), unfolded=depth < _OPEN_TO)
        pending.append(("", None, True))
        pending += [(key, inner, False) for key, inner in reversed(_members(member))]


def _members(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(str(key), inner) for key, inner in value.items()]
    return [(str(place), inner) for place, inner in enumerate(value)] if isinstance(value, list) else [("", value)]


def _size(value: Any) -> str:
    return count_of(len(value), "field") if isinstance(value, dict) else count_of(len(value), "entry", "entries")


def _leaf(name: str, value: Any) -> Line:
    if isinstance(value, bool):
        return Line("leaf", name, "yes" if value else "no", "boolean")
    if value is None:
        return Line("leaf", name, "nothing", "null")
    if isinstance(value, int | float):
        return Line("leaf", name, number(value), "number")
    if isinstance(value, str):
        text = _short(value)
        return Line("leaf", name, text or "(empty)", "string" if text else "null")
    return Line("leaf", name, "(empty)", "null")


def _short(text: str) -> str:
    return text if len(text) <= _MOST_CHARS else f"{text[:_MOST_CHARS]}… ({number(len(text))} characters)"
