"""What UTF-8, JSON and Postgres can hold: text without NUL characters and lone surrogates, and no endless nesting."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

Place = tuple[int | str, ...]
"""Where a value stands in a document: names and positions, from the outside in."""

# Of a place that is deep, as many parts as lead somebody to it.
_LEADING: Final = 5


def escaped(text: str) -> str:
    """Return the text with an escape for each character that cannot be stored: what it was can still be read."""
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


def marked(text: str) -> str:
    """Return the text with one mark for each character that cannot be stored, as an answer shows it to later steps."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def is_storable(text: str) -> bool:
    """Tell whether the text can be stored as it is."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


@dataclass(frozen=True, slots=True)
class Unstorable:
    """What cannot be stored of a document: where, and why."""

    place: Place
    message: str
    is_deep: bool = False


def too_deep(place: Place, levels: int) -> Unstorable:
    """Say that a place lies deeper than so many levels, by the way that leads there."""
    return Unstorable(place[:_LEADING], f"nests deeper than {levels} levels", is_deep=True)


def unstorable(document: Any, levels: int) -> Iterator[Unstorable]:
    """Yield what cannot be stored of parsed JSON, in the order it was written: NUL characters, and too deep nesting.

    A level is an object or an array; what stands in the innermost one is none.
    A walk that knows its way costs; where documents come by the thousand it is for those that are known to be wrong.
    Nothing comes after a place that is too deep.
    """
    pending: list[tuple[Any, Place]] = [(document, ())]
    while pending:
        item, place = pending.pop()
        if len(place) >= levels and isinstance(item, dict | list):
            yield too_deep(place, levels)
            return
        if isinstance(item, str) and "\x00" in item:
            yield Unstorable(place, "holds a NUL character, which cannot be stored")
        elif isinstance(item, dict):
            yield from (
                Unstorable(place, "has a key with a NUL character, which cannot be stored")
                for key in item
                if "\x00" in key
            )
            pending.extend((member, (*place, key)) for key, member in reversed(item.items()))
        elif isinstance(item, list):
            pending.extend((item[index], (*place, index)) for index in reversed(range(len(item))))
