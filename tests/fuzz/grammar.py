"""Grows templates out of the sandbox's own grammar: its filters, tests, globals, statements, operators and methods.

A template follows from a list of numbers, so that it can be shrunk by leaving numbers out: where there are none left,
and for 0, the simplest thing is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from app.domain.templating.sandbox import PLAIN

_FILTERS: Final = sorted(name for name in PLAIN.filters if " " not in name)
_TESTS: Final = sorted(name for name in PLAIN.tests if name.isidentifier())
_METHODS: Final = (
    "upper() title() capitalize() lower() strip() lstrip() rstrip() split() splitlines() isdigit() isalpha() items() "
    "keys() values() islower() isupper() isspace()"
)
_METHODS_OF_ONE: Final = "count find endswith startswith strip lstrip rstrip split removeprefix removesuffix get index"
_LOOPS: Final = "index index0 revindex revindex0 first last length depth depth0 previtem nextitem cycle(1,2) changed(x)"
_NAMES: Final = "one x y n m loop text l deep big many rows tree wide huge half lines nowhere cycler joiner"
_CONSTANTS: Final = (
    "1 0 '' 'a' [] {} none true 2.5 -1 99 9999 10**9 2**4000 'x'*9999 [1]*9 range(10) range(9999) 'a.b' ',' '\\n'"
)
_OPERATORS: Final = "+ - * / // % ** ~ and or in == != < > <= >= not_in"
_MAX_DEPTH: Final = 6


class Draws:
    """Numbers to choose by; nothing but 0 once they are used up."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = iter(numbers)

    def below(self, count: int) -> int:
        """Take a number below another."""
        return next(self._numbers, 0) % count

    def of(self, things: Sequence[Any]) -> Any:
        """Choose one of some things, or one of a text's words."""
        things = things.split() if isinstance(things, str) else things
        return things[self.below(len(things))]


class Grower:
    """Grows one template."""

    def __init__(self, draws: Draws) -> None:
        self._draws = draws
        self._expressions: list[Callable[[int], str]] = [
            lambda _: str(self._draws.of(_NAMES)),
            lambda _: str(self._draws.of(_CONSTANTS)),
            self._filtered,
            self._filtered,
            self._tested,
            self._binary,
            self._binary,
            self._method,
            self._member,
            self._literal,
            self._call,
            lambda deep: f"({self.expression(deep)} if {self.expression(deep)} else {self.expression(deep)})",
            lambda deep: f"(not {self.expression(deep)})",
            lambda _: f"loop.{self._draws.of(_LOOPS)}",
        ]
        self._statements: list[Callable[[int], str]] = [
            lambda _: "",
            lambda deep: "{{ " + self.expression(deep) + " }}",
            self._loop,
            self._loop,
            self._loop,
            self._choice,
            lambda deep: "{% set " + self._name() + " = " + self.expression(deep) + " %}",
            lambda deep: "{% set " + self._name() + " %}" + self.body(deep) + "{% endset %}",
            lambda deep: "{% set n.x = " + self.expression(deep) + " %}",
            self._macro,
            lambda deep: "{% call(y) m(" + self.expression(deep) + ") %}" + self.body(deep) + "{% endcall %}",
            lambda deep: "{% filter " + self._filter(deep) + " %}" + self.body(deep) + "{% endfilter %}",
            lambda deep: "{% with x = " + self.expression(deep) + " %}" + self.body(deep) + "{% endwith %}",
            lambda deep: self.body(deep) * (1 + self._draws.below(60)),
        ]

    def template(self) -> str:
        """Grow a whole template; it has a namespace ``n`` and a macro ``m``."""
        macro = "{% macro m(x, y=1) %}" + self.body(3) + "{% endmacro %}" if self._draws.below(2) else ""
        return "{% set n = namespace(x=1) %}" + macro + self.body(0) + self.body(0)

    def body(self, deep: int) -> str:
        """Grow one to three statements."""
        if deep >= _MAX_DEPTH:
            return "x"
        return "".join(self._draws.of(self._statements)(deep + 1) for _ in range(1 + self._draws.below(3)))

    def expression(self, deep: int) -> str:
        """Grow an expression."""
        if deep >= _MAX_DEPTH:
            return str(self._draws.of(_NAMES))
        return str(self._draws.of(self._expressions)(deep + 1))

    def _name(self) -> str:
        return str(self._draws.of(("x", "y", "z")))

    def _arguments(self, deep: int, most: int = 2) -> str:
        return ", ".join(self.expression(deep) for _ in range(self._draws.below(most + 1)))

    def _filter(self, deep: int) -> str:
        name = self._draws.of(_FILTERS)
        if name in {"map", "select", "reject"}:
            inner = self._draws.of(_FILTERS if name == "map" else _TESTS)
            return f"{name}('{inner}'{''.join(', ' + self.expression(deep) for _ in range(self._draws.below(2)))})"
        if name in {"selectattr", "rejectattr", "groupby", "sort", "unique", "sum", "join"} and self._draws.below(2):
            return f"{name}(attribute='{self._draws.of(('a', 'a.b', '0', 'a.' * 50 + 'a'))}')"
        return f"{name}({self._arguments(deep)})" if self._draws.below(2) else str(name)

    def _filtered(self, deep: int) -> str:
        chain = "|".join(self._filter(deep) for _ in range(1 + self._draws.below(3)))
        return f"({self.expression(deep)}|{chain})"

    def _tested(self, deep: int) -> str:
        test = f"{self._draws.of(_TESTS)}({self._arguments(deep, 1)})"
        return f"({self.expression(deep)} is {test.removesuffix('()')})"

    def _binary(self, deep: int) -> str:
        return f"({self.expression(deep)} {self._draws.of(_OPERATORS).replace('_', ' ')} {self.expression(deep)})"

    def _method(self, deep: int) -> str:
        if self._draws.below(2):
            return f"{self.expression(deep)}.{self._draws.of(_METHODS_OF_ONE)}({self.expression(deep)})"
        return f"{self.expression(deep)}.{self._draws.of(_METHODS)}"

    def _member(self, deep: int) -> str:
        thing, key = self.expression(deep), self.expression(deep)
        forms = (f"{thing}[{key}]", f"{thing}[{key}:]", f"{thing}[::{key}]", f"{thing}[:{key}]", f"{thing}.a")
        return str(self._draws.of(forms))

    def _literal(self, deep: int) -> str:
        parts = [self.expression(deep) for _ in range(1 + self._draws.below(3))]
        forms = (f"[{', '.join(parts)}]", "{1: " + ", 2: ".join(parts[:2]) + "}", f"({', '.join(parts)},)")
        return str(self._draws.of(forms))

    def _call(self, deep: int) -> str:
        name = self._draws.of(("m", "caller", "loop", "range", "cycler", "joiner", "namespace", "dict", "x"))
        return f"{name}({self._arguments(deep)})"

    def _loop(self, deep: int) -> str:
        test = f" if {self.expression(deep)}" if self._draws.below(4) == 1 else ""
        recursive = " recursive" if self._draws.below(5) == 1 else ""
        last = "{% else %}" + self.body(deep) if self._draws.below(5) == 1 else ""
        head = "{% for x in " + self.expression(deep) + test + recursive + " %}"
        return head + self.body(deep) + last + "{% endfor %}"

    def _choice(self, deep: int) -> str:
        return (
            "{% if " + self.expression(deep) + " %}" + self.body(deep) + "{% else %}" + self.body(deep) + "{% endif %}"
        )

    def _macro(self, deep: int) -> str:
        return "{% macro m(x, y=1) %}" + self.body(deep) + "{% endmacro %}{{ m(" + self.expression(deep) + ") }}"


def grown(numbers: Sequence[int]) -> str:
    """The template that follows from numbers."""
    return Grower(Draws(numbers)).template()
