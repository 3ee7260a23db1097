"""YAML as JSON's values, with the line of each, and bounded: so many bytes of it mean so many values, and no more.

It is read as version 1.2 has it, where ``yes`` and ``19:00`` are texts: the older rules make ``true`` and 1140 of them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

import yaml
from typing_extensions import override
from yaml.reader import ReaderError

_MAX_DEPTH: Final = 100
_MAX_REPEATED: Final = 10_000  # values that aliases stand for, in one file: eight lines of aliases can mean millions
TOO_DEEP: Final = f"nests deeper than {_MAX_DEPTH}"


class UnreadableError(Exception):
    """Something is wrong on a line."""

    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class CoreLoader(yaml.SafeLoader):
    """YAML 1.2's core schema: what a plain scalar is; and no more nesting than there is room for.

    Attributes:
        composed: How many values the file has written out.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own attribute

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.composed = 0
        self._depth = 0

    @override
    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Read a value, unless it stands too deep: each level takes some of the interpreter's own depth."""
        self.composed += 1
        if self._depth > _MAX_DEPTH:
            raise UnreadableError(cast("Any", self).peek_event().start_mark.line + 1, TOO_DEEP)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    CoreLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), [*_first, *([""] if _tag == "null" else [])]
    )


_SCALARS: Final[Mapping[str, Callable[[str], Any]]] = {
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": int,
    "float": float,
}


def yaml_values(text: str) -> Iterator[tuple[Any, dict[str, int]]]:
    """Yield each document's value, and the line of each field in it, from 1.

    Raises:
        UnreadableError: It is no YAML, or not within the bounds.
    """
    try:
        loader = CoreLoader(text)
        while loader.check_node() and (node := loader.get_node()) is not None:
            lines: dict[str, int] = {}
            value = Values(loader, lines).value(node, "", 0)
            if value is not None:  # an empty document, as after a last `---`
                yield value, lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = error.problem or error.context or "cannot be read"
        raise UnreadableError(mark.line + 1 if mark else None, f"is no YAML: {said}") from None
    except ReaderError as error:
        raise UnreadableError(text.count("\n", 0, error.position) + 1, f"is no YAML: {reason_of(error)}") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # such as a character beyond the last one
        raise UnreadableError(loader.line + 1, f"is no YAML: {reason_of(error)}") from None


class Values:
    """Makes values of nodes, and notes the line of each; aliases may repeat some, but not without end."""

    def __init__(self, loader: CoreLoader, lines: dict[str, int]) -> None:
        self._left = loader.composed + _MAX_REPEATED
        self._lines = lines

    def value(self, node: yaml.Node, path: str, depth: int) -> Any:
        """Return what a node says.

        Raises:
            UnreadableError: It nests too deeply, repeats too much, or is no JSON.
        """
        self._lines[path] = line = node.start_mark.line + 1
        self._left -= 1
        if depth > _MAX_DEPTH:
            raise UnreadableError(line, TOO_DEEP)
        if self._left < 0:
            raise UnreadableError(line, f"repeats more than {_MAX_REPEATED:,} values by aliases")
        if isinstance(node, yaml.SequenceNode):
            return [self.value(one, f"{path}[{n}]", depth + 1) for n, one in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        return _scalar(node, line)

    def _mapping(self, node: yaml.MappingNode, path: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise UnreadableError(line, "has a key that is no text")
            name = str(key.value)
            if name in found:
                raise UnreadableError(line, f"says {name} twice")
            below = f"{path}.{name}" if path else name
            found[name] = self.value(value, below, depth + 1)
            self._lines[below] = line
        return found


def _scalar(node: yaml.Node, line: int) -> Any:
    kind, text = node.tag.removeprefix("tag:yaml.org,2002:"), str(node.value)
    if kind == "str":
        return text
    try:
        return _SCALARS[kind](text)
    except (KeyError, ValueError):
        raise UnreadableError(line, f"has {text!r} marked as {node.tag}, which JSON does not know") from None


def reason_of(error: Exception) -> str:
    """Return why something cannot be read, in a line."""
    return next(iter(str(error).splitlines()), "cannot be read").partition(";")[0]
