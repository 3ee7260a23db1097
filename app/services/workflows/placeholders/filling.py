"""Puts placeholders' values into a template: ``[[name]]`` in its texts, wherever these are the workflow's to say.

A text that is ``[[name]]`` and nothing else becomes the value itself, a number for a number; within a longer text the
value is written out. Values go in as they are: a text may hold ``{{ customer.name }}``, which is rendered when the
workflow runs. What comes of it is checked like every draft. Brackets, not braces: braces are the messages' own.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from app.domain.errors import FieldError, InvalidError
from app.services.workflows.placeholders.declarations import Values
from app.services.workflows.placeholders.values import as_text
from schemas.field_errors import path_text
from schemas.placeholder import NAME, Placeholder
from schemas.workflow import MAX_REVISION_BYTES

_MARK: Final = re.compile(rf"\[\[ ?({NAME}) ?\]\]")
_FILLED: Final = ("name", "description", "trigger", "conditions", "actions")
_GONE: Final = object()
_PART: Final = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


class _Filler:
    """Fills one draft; what the values add to it is bounded."""

    def __init__(self, placeholders: Sequence[Placeholder], values: Values) -> None:
        self._declared = {one.name: one for one in placeholders}
        self._values = values
        self._left = 2 * MAX_REVISION_BYTES

    def filled(self, node: Any) -> Any:
        """Return what becomes of a node of JSON; ``_GONE`` of one that is a value left out."""
        if isinstance(node, str):
            return self._text(node)
        if isinstance(node, Mapping):
            members = {key: self.filled(member) for key, member in node.items()}
            return {key: member for key, member in members.items() if member is not _GONE}
        if isinstance(node, list):
            return [member for member in map(self.filled, node) if member is not _GONE]
        return node

    def _text(self, text: str) -> Any:
        whole = _MARK.fullmatch(text)
        if whole is not None and whole[1] in self._declared:
            value = self._values[whole[1]]
            self._count(as_text(self._declared[whole[1]], value) if value is not None else "")
            return _GONE if value is None else value
        return _MARK.sub(self._within, text)

    def _within(self, mark: re.Match[str]) -> str:
        one = self._declared.get(mark[1])
        if one is None:
            return mark[0]
        value = self._values[one.name]
        return self._count("" if value is None else as_text(one, value))

    def _count(self, text: str) -> str:
        self._left -= len(text.encode("utf-8", "surrogatepass"))
        if self._left < 0:
            raise InvalidError([FieldError("placeholders", "with these values the workflow would be too large")])
        return text


def fill(draft: Any, placeholders: Sequence[Placeholder], values: Values) -> Any:
    """Return a workflow's draft with the values in their places.

    Raises:
        InvalidError: It would be far larger than a workflow may be.
    """
    if not isinstance(draft, Mapping):
        return draft
    filler = _Filler(placeholders, values)
    filled = {key: filler.filled(member) if key in _FILLED else member for key, member in draft.items()}
    return {key: member for key, member in filled.items() if member is not _GONE}


def marks(draft: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each mark of a draft: where it stands, and its name."""
    for key in _FILLED:
        yield from _marks(draft.get(key), (key,))


def named_at(draft: Any, path: str) -> list[str]:
    """Return the placeholders in what a path leads to, as far as it does: those that may be at fault for an error."""
    node = draft
    for number, name in _PART.findall(path):
        below = _member(node, number, name)
        if below is _GONE:
            break
        node = below
    return list(dict.fromkeys(name for _, name in _marks(node, ()))) if node is not draft else []


def blamed(error: InvalidError, draft: Any, placeholders: Sequence[Placeholder]) -> InvalidError:
    """Return an error of a filled draft, with the placeholders named that brought it in."""
    known = {one.name for one in placeholders}
    errors: list[FieldError] = []
    for told in error.errors:
        names = [name for name in named_at(draft, told.path) if name in known]
        errors += [FieldError(f"placeholders.{name}", f"{told.path}: {told.message}") for name in names] or [told]
    return InvalidError(errors)


def _member(node: Any, number: str, name: str) -> Any:
    if number:
        return node[int(number)] if isinstance(node, list) and int(number) < len(node) else _GONE
    return node.get(name, _GONE) if isinstance(node, Mapping) else _GONE


def _marks(node: Any, path: tuple[int | str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(node, str):
        yield from ((path_text(path), mark[1]) for mark in _MARK.finditer(node))
    elif isinstance(node, Mapping):
        for key, member in node.items():
            yield from _marks(member, (*path, str(key)))
    elif isinstance(node, list):
        for position, member in enumerate(node):
            yield from _marks(member, (*path, position))
