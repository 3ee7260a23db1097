"""Who reads which setting, read off the source: a list that somebody keeps by hand is wrong within a month.

A role reads what its entry point reads of a variable called ``settings``, and what those functions and classes read
that it names and that take ``Settings``, and so on. Of ``if role == "..."`` only the branch of that role counts.
Nothing of this runs in production: it is for ``make settings`` and its tests.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SETTINGS: Final = "Settings"
_VARIABLE: Final = "settings"
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a role or command begins: a file, and a function of it; no function: all of them."""

    file: str
    function: str = ""


class Readers:
    """Finds readers.

    Args:
        sources: The text of each file.
        derived: For each property of the settings the fields that it is made of.
    """

    def __init__(self, sources: Mapping[str, str], derived: Mapping[str, frozenset[str]]) -> None:
        self._trees = {file: ast.parse(text) for file, text in sources.items()}
        self._derived = derived
        self._taking: dict[str, list[tuple[str, _Definition]]] = {}
        for file, tree in self._trees.items():
            for node in tree.body:
                if isinstance(node, _Definition) and _takes_settings(node):
                    self._taking.setdefault(node.name, []).append((file, node))

    def of(self, role: str, entries: Iterable[Entry]) -> frozenset[str]:
        """Return the fields that a role reads."""
        seen: set[int] = set()
        found: set[str] = set()
        waiting = [(entry.file, node) for entry in entries for node in self._begin(entry)]
        while waiting:
            file, definition = waiting.pop()
            if id(definition) in seen:
                continue
            seen.add(id(definition))
            for node in _walk(definition.body, role):
                if isinstance(node, ast.Attribute) and _is_settings(node.value):
                    found |= self._derived.get(node.attr, {node.attr})
                if isinstance(node, ast.Name):
                    waiting += self._meant(node.id, file)
        return frozenset(found)

    def _meant(self, name: str, file: str) -> Iterator[tuple[str, _Definition]]:
        """Yield what a name in a file stands for, of what takes the settings: of its own, else what it imports."""
        taking = self._taking.get(name, ())
        own = [one for one in taking if one[0] == file]
        yield from own or (one for one in taking if one[0] in self._imported(name, file))

    def _imported(self, name: str, file: str) -> set[str]:
        modules = (
            node.module
            for node in ast.walk(self._trees[file])
            if isinstance(node, ast.ImportFrom) and node.module and any(one.name == name for one in node.names)
        )
        return {f"{module.replace('.', '/')}{end}" for module in modules for end in (".py", "/__init__.py")}

    def _begin(self, entry: Entry) -> Iterator[_Definition]:
        for node in self._trees[entry.file].body:
            if isinstance(node, _Definition) and entry.function in {"", node.name}:
                yield node


def sources_of(root: Path, packages: Iterable[str]) -> dict[str, str]:
    """Return the text of every file of some packages, by its path below ``root``."""
    files = (path for package in packages for path in sorted((root / package).rglob("*.py")))
    return {path.relative_to(root).as_posix(): path.read_text() for path in files}


def derived_fields(sources: Iterable[str], fields: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return for each property and method of the settings' classes the fields that it is made of."""
    known = frozenset(fields)
    methods: dict[str, set[str]] = {}
    for text in sources:
        for owner in ast.walk(ast.parse(text)):
            for node in owner.body if isinstance(owner, ast.ClassDef) else ():
                if isinstance(node, ast.FunctionDef):
                    methods[node.name] = {
                        one.attr
                        for one in ast.walk(node)
                        if isinstance(one, ast.Attribute) and ast.unparse(one.value) == "self"
                    }
    return {name: _closed(name, methods) & known for name in methods}


def _closed(name: str, methods: Mapping[str, set[str]]) -> frozenset[str]:
    found, waiting = set(), [name]
    while waiting:
        for one in methods.get(waiting.pop(), ()):
            if one not in found:
                found.add(one)
                waiting.append(one)
    return frozenset(found)


def _takes_settings(node: _Definition) -> bool:
    """Tell whether a function, or the making of a class, is given the settings."""
    functions = node.body if isinstance(node, ast.ClassDef) else [node]
    return any(
        argument.annotation is not None and ast.unparse(argument.annotation) == _SETTINGS
        for function in functions
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for argument in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    )


def _is_settings(node: ast.expr) -> bool:
    return ast.unparse(node) in {_VARIABLE, f"self.{_VARIABLE}", f"self._{_VARIABLE}"}


def _walk(body: Iterable[ast.AST], role: str) -> Iterator[ast.AST]:
    """Yield the nodes that are of account for a role; what follows on its own branch's ``return`` is of none."""
    for node in body:
        asked = _asked_role(node)
        if asked is None:
            yield node
            yield from _walk(ast.iter_child_nodes(node), role)
            continue
        assert isinstance(node, ast.If | ast.IfExp)
        branch = node.body if asked == role else node.orelse
        taken = branch if isinstance(branch, list) else [branch]
        yield from _walk(taken, role)
        if taken and isinstance(taken[-1], ast.Return):
            return


def _asked_role(node: ast.AST) -> str | None:
    """Return the role that a condition asks for."""
    test = node.test if isinstance(node, ast.If | ast.IfExp) else None
    if not isinstance(test, ast.Compare) or ast.unparse(test.left) != "role" or not isinstance(test.ops[0], ast.Eq):
        return None
    value = test.comparators[0]
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
