"""Workflows in files: YAML or JSON, one or several in each, with the line on which every field stands.

YAML is read as version 1.2 has it, where ``yes`` and ``19:00`` are texts: the older rules make ``true`` and 1140 of
them.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from app.commands.exit_codes import ExitCode
from app.domain.errors import FieldError, SetupError

_MAX_BYTES: Final = 32 * 1024 * 1024
_MAX_DEPTH: Final = 100
_PARENT: Final = re.compile(r"(\.[^.\[\]]+|\[\d+\]|^[^.\[\]]+)$")


@dataclass(frozen=True, slots=True)
class Document:
    """One workflow of a file.

    Attributes:
        file: The file's name, as it was given.
        value: What it says.
        lines: The line of each field, from 1, by its path: ``actions[1].config.url``.
    """

    file: str
    value: dict[str, Any]
    lines: Mapping[str, int]

    def place(self, path: str) -> str:
        """Return the place of a field: the file and the line on which it stands, or what is nearest around it."""
        while path and path not in self.lines:
            path = _PARENT.sub("", path)
        line = self.lines.get(path)
        return f"{self.file}:{line}" if line else self.file


class WrongFilesError(SetupError):
    """Something in the files is wrong: each of it with its file, its line and its field."""

    exit_code = ExitCode.WRONG

    def __init__(self, wrong: Sequence[tuple[str, FieldError]]) -> None:
        self.errors = [FieldError(f"{place} {error.path}".strip(), error.message) for place, error in wrong]
        many = "1 thing is" if len(wrong) == 1 else f"{len(wrong)} things are"
        super().__init__("\n  ".join([f"{many} wrong; nothing was changed", *map(_said, wrong)]))


def read_documents(files: Sequence[Path]) -> list[Document]:
    """Return every workflow of some files; ``-`` is standard input.

    Raises:
        WrongFilesError: A file is no YAML or JSON, or holds something other than workflows.
    """
    found: list[Document] = []
    wrong: list[tuple[str, FieldError]] = []
    for file in files:
        try:
            found += _of_file(str(file), _text(file))
        except _WrongError as error:
            wrong.append((f"{file}:{error.line}" if error.line else str(file), FieldError("", error.message)))
    if wrong:
        raise WrongFilesError(wrong)
    return found


class _WrongError(Exception):
    """Something is wrong on a line."""

    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def _said(wrong: tuple[str, FieldError]) -> str:
    place, error = wrong
    return f"{place}: {error.path}: {error.message}" if error.path else f"{place}: {error.message}"


def _text(file: Path) -> str:
    try:
        raw = sys.stdin.buffer.read(_MAX_BYTES + 1) if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise _WrongError(None, error.strerror or str(error)) from None
    if len(raw) > _MAX_BYTES:
        raise _WrongError(None, f"has more than {_MAX_BYTES // 1024 // 1024} MiB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _WrongError(raw.count(b"\n", 0, error.start) + 1, "is no text in UTF-8") from None


def _of_file(name: str, text: str) -> list[Document]:
    values = list(_json_values(name, text) if text.lstrip()[:1] in {"{", "["} else _yaml_values(text))
    if not values:
        raise _WrongError(None, "holds no workflow")
    for value, lines in values:
        if not isinstance(value, dict):
            raise _WrongError(
                lines.get(""), "holds something that is no workflow: an object with name, trigger, actions"
            )
    return [Document(name, value, lines) for value, lines in values]


def _json_values(name: str, text: str) -> Iterator[tuple[Any, dict[str, int]]]:
    """Yield what JSON holds: one value, an array of them, or one a line."""
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        lines = text.splitlines()
        # An object a line, as exports are; or YAML that begins with a bracket.
        first = _or_none(lines[0])
        if isinstance(first, dict):
            yield from ((_json_line(line, n), {"": n}) for n, line in enumerate(lines, start=1) if line.strip())
            return
        if name.endswith((".json", ".jsonl")):
            raise _WrongError(error.lineno, f"is no JSON: {error.msg}") from None
        yield from _yaml_values(text)
        return
    places = _json_places(text)
    if isinstance(whole, list):
        yield from ((value, _below(places, f"[{n}]")) for n, value in enumerate(whole))
    else:
        yield whole, places


def _or_none(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None


def _json_line(text: str, number: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _WrongError(number, f"is no JSON: {error.msg}") from None


def _json_places(text: str) -> dict[str, int]:
    """Return where fields stand in JSON, which YAML's reader tells as well; nothing where it cannot."""
    lines: dict[str, int] = {}
    with suppress(yaml.YAMLError, _WrongError):
        node = yaml.compose(text, Loader=_Core)
        if node is not None:
            _value(node, "", lines, 0)
    return lines


def _below(places: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {path[len(prefix) :].lstrip("."): line for path, line in places.items() if path.startswith(prefix)}


class _Core(yaml.SafeLoader):
    """YAML 1.2's core schema: what a plain scalar is."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own attribute


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Core.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), [*_first, *([""] if _tag == "null" else [])]
    )


_SCALARS: Final[Mapping[str, Callable[[str], Any]]] = {
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": int,
    "float": float,
}


def _yaml_values(text: str) -> Iterator[tuple[Any, dict[str, int]]]:
    try:
        for node in yaml.compose_all(text, Loader=_Core):
            lines: dict[str, int] = {}
            value = _value(node, "", lines, 0)
            if value is not None:  # an empty document, as after a last `---`
                yield value, lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = error.problem or error.context or "cannot be read"
        raise _WrongError(mark.line + 1 if mark else None, f"is no YAML: {said}") from None
    except yaml.YAMLError as error:
        raise _WrongError(None, f"is no YAML: {next(iter(str(error).splitlines()), 'cannot be read')}") from None


def _value(node: yaml.Node, path: str, lines: dict[str, int], depth: int) -> Any:
    lines[path] = line = node.start_mark.line + 1
    if depth > _MAX_DEPTH:
        raise _WrongError(line, f"nests deeper than {_MAX_DEPTH}")
    if isinstance(node, yaml.SequenceNode):
        return [_value(one, f"{path}[{n}]", lines, depth + 1) for n, one in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines, depth)
    return _scalar(node, line)


def _mapping(node: yaml.MappingNode, path: str, lines: dict[str, int], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        name = str(key.value)
        if not isinstance(key, yaml.ScalarNode):
            raise _WrongError(key.start_mark.line + 1, "has a key that is no text")
        if name in found:
            raise _WrongError(key.start_mark.line + 1, f"says {name} twice")
        below = f"{path}.{name}" if path else name
        found[name] = _value(value, below, lines, depth + 1)
        lines[below] = key.start_mark.line + 1
    return found


def _scalar(node: yaml.Node, line: int) -> Any:
    kind, text = node.tag.removeprefix("tag:yaml.org,2002:"), str(node.value)
    if kind == "str":
        return text
    try:
        return _SCALARS[kind](text)
    except (KeyError, ValueError):
        raise _WrongError(line, f"has {text!r} marked as {node.tag}, which JSON does not know") from None
