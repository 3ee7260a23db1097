"""Workflows in a text: YAML or JSON, one or several, with the line on which every field stands. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import yaml

from app.services.workflows.files.yaml_values import (
    TOO_DEEP,
    CoreLoader,
    UnreadableError,
    Values,
    reason_of,
    yaml_values,
)

_LONG_NUMBER: Final = re.compile(r"[0-9]{4301}")
_PARENT: Final = re.compile(r"(\.[^.\[\]]+|\[\d+\]|^[^.\[\]]+)$")
# What exports and answers of the API have beside what a user writes: it is read past.
_READ_ONLY: Final = frozenset(
    {"version", "created_by", "created_at", "updated_at", "deleted_at", "last_run_at", "draft", "v", "owner"}
)


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


def documents_of(name: str, text: str) -> list[Document]:
    """Return every workflow of a text; ``name`` is the file's.

    Raises:
        UnreadableError: It is no YAML or JSON, or holds something other than workflows.
    """
    values = list(_json_values(name, text) if text.lstrip()[:1] in {"{", "["} else yaml_values(text))
    if not values:
        raise UnreadableError(None, "holds no workflow")
    for value, lines in values:
        if not isinstance(value, dict):
            raise UnreadableError(
                lines.get(""), "holds something that is no workflow: an object with name, trigger, actions"
            )
    return [Document(name, value, lines) for value, lines in values]


def _json_values(name: str, text: str) -> Iterator[tuple[Any, dict[str, int]]]:
    """Yield what JSON holds: one value, an array of them, or one a line."""
    try:
        whole = json.loads(text)
    except RecursionError:
        yield from yaml_values(text)  # whose reader knows on which line it nests too deeply
        return
    except json.JSONDecodeError as error:
        lines = text.splitlines()
        # An object a line, as exports are; or YAML that begins with a bracket.
        first = _or_none(lines[0])
        if isinstance(first, dict):
            yield from ((_json_line(line, n), {"": n}) for n, line in enumerate(lines, start=1) if line.strip())
            return
        if name.endswith((".json", ".jsonl")):
            raise UnreadableError(error.lineno, f"is no JSON: {error.msg}") from None
        yield from yaml_values(text)
        return
    except ValueError as error:
        raise UnreadableError(_long_number(text), f"is no JSON: {reason_of(error)}") from None
    places = _json_places(text)
    if isinstance(whole, list):
        yield from ((value, _below(places, f"[{n}]")) for n, value in enumerate(whole))
    else:
        yield whole, places


def _or_none(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _json_line(text: str, number: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableError(number, f"is no JSON: {error.msg}") from None
    except RecursionError:
        raise UnreadableError(number, TOO_DEEP) from None
    except ValueError as error:
        raise UnreadableError(number, f"is no JSON: {reason_of(error)}") from None


def _long_number(text: str) -> int | None:
    """Return the line of the first number that is too long to be one."""
    found = _LONG_NUMBER.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else None


def _json_places(text: str) -> dict[str, int]:
    """Return where fields stand in JSON, which YAML's reader tells as well; nothing where it cannot."""
    lines: dict[str, int] = {}
    with suppress(yaml.YAMLError, UnreadableError, ValueError, OverflowError):
        loader = CoreLoader(text)
        node = loader.get_single_node()
        if node is not None:
            Values(loader, lines).value(node, "", 0)
    return lines


def _below(places: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {path[len(prefix) :].lstrip("."): line for path, line in places.items() if path.startswith(prefix)}


def written(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a document says of a workflow as the API takes it: its unknown fields too, which it names."""
    return {name: one for name, one in value.items() if name not in _READ_ONLY and name not in {"id", "active"}}
