"""The properties that have a test: read off the comment that the specification asks for above each."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_COMMENT: Final = re.compile(r"# Feature: automations-workflows, Property (\d+): (.+)")


@dataclass(frozen=True, slots=True)
class Listed:
    """A property's test.

    Attributes:
        number: 1 to 31.
        title: As the comment has it.
        file: Of the test.
        function: Its name.
    """

    number: int
    title: str
    file: Path
    function: str

    @property
    def node(self) -> str:
        """What pytest calls it, from the root of the tree."""
        return f"tests/properties/{self.file.name}::{self.function}"

    @property
    def module(self) -> str:
        """The test's module."""
        return f"tests.properties.{self.file.stem}"


def listed_properties() -> Iterator[Listed]:
    """Yield every comment with the test that it stands above: nothing but decorators is between them.

    Raises:
        ValueError: A comment stands above something else.
    """
    for file in sorted(_HERE.glob("test_*.py")):
        yield from _listed(file, file.read_text())


def _listed(file: Path, source: str) -> Iterator[Listed]:
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    begins = {min([node.lineno, *(one.lineno for one in node.decorator_list)]): node.name for node in functions}
    for number, line in enumerate(source.splitlines(), 1):
        found = _COMMENT.fullmatch(line)
        if found is None:
            continue
        if number + 1 not in begins:
            raise ValueError(f"{file.name}:{number}: no test stands below the comment")
        yield Listed(int(found[1]), found[2], file, begins[number + 1])
