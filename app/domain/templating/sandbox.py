"""The Jinja environments that templates run in: one for plain text, one that escapes for HTML.

Only JSON gets in, and only its members, a few methods of texts and objects, and Jinja's own helpers are reachable:
attributes are looked up in lists of what is allowed, so there is no way to a class, a module or a frame. An object's
own keys come first: ``order.items`` is the order's items.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from jinja2 import StrictUndefined, Undefined, nodes, pass_context
from jinja2 import Template as JinjaTemplate
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace

from app.domain.templating.budget import charge
from app.domain.templating.errors import TemplateFailure
from app.domain.templating.filters import all_filters, all_tests, counted, operand
from app.domain.templating.syntax import CHARGE, CONCAT, LOOP, OPERAND, bound
from app.domain.templating.values import add, brief, joined, multiply, power, printed, remainder

_MAX_RANGE: Final = 10_000
_CHARACTERS_PER_STEP: Final = 16
_LONG_ARGUMENT: Final = 4
_MAX_HINT: Final = 300
_LOOP = "index index0 revindex revindex0 first last length depth depth0 previtem nextitem cycle changed"
_TEXT = (
    "capitalize count endswith find isalpha isdigit isspace islower isupper lower lstrip removeprefix removesuffix "
    "rstrip split splitlines startswith strip title upper"
)
_ATTRIBUTES: Final[dict[type, frozenset[str]]] = {
    Cycler: frozenset({"current", "next", "reset"}),
    LoopContext: frozenset(_LOOP.split()),
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
    str: frozenset(_TEXT.split()),
}


class MissingVariable(StrictUndefined):
    """An undefined value that still knows its path, so that ``default()`` works at any depth and errors can name it."""

    @property
    def _undefined_message(self) -> str:
        return (self._undefined_hint or f"{brief(self._undefined_name)} is undefined")[:_MAX_HINT]


def _range(*args: int) -> range:
    numbers = range(*args)
    if len(numbers) > _MAX_RANGE:
        raise TemplateFailure(f"makes a range of more than {_MAX_RANGE} numbers")
    return numbers


@pass_context
def _charge(_context: Context, steps: int) -> None:
    charge(steps)


@pass_context
def _loop(_context: Context, iterable: Any, steps: int) -> Any:
    return counted(iterable, steps)


@pass_context
def _operand(_context: Context, value: Any) -> Any:
    return operand(value)


@pass_context
def _concat(_context: Context, parts: list[Any]) -> str:
    return joined(parts)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja with bounds; see the module."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, *, html: bool) -> None:
        super().__init__(
            autoescape=html, undefined=MissingVariable, finalize=printed, keep_trailing_newline=True, cache_size=0
        )
        self.binop_table = {**self.binop_table, "+": add, "*": multiply, "**": power, "%": remainder}
        own: dict[str, Callable[..., Any]] = {CHARGE: _charge, CONCAT: _concat, LOOP: _loop, OPERAND: _operand}
        self.filters = {**all_filters(), **own}
        self.tests = all_tests()
        self.globals = {"cycler": Cycler, "joiner": Joiner, "namespace": Namespace, "range": _range}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return bound(super()._parse(source, name, filename))

    def code_of(self, tree: nodes.Template) -> str:
        """The Python that a tree is translated into."""
        return self.compile(tree, raw=True)

    def template_of(self, code: str) -> JinjaTemplate:
        """The template that such Python makes."""
        return JinjaTemplate.from_code(self, self._compile(code, "<template>"), {}, None)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """``obj.attribute``: a member of an object, or one of the allowed attributes."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, Namespace) and not attribute.startswith("_"):
            return super().getattr(obj, attribute)
        for kind, allowed in _ATTRIBUTES.items():
            if isinstance(obj, kind) and attribute in allowed:
                return getattr(obj, attribute)
        if isinstance(obj, tuple) and attribute in ("grouper", "list"):
            return getattr(obj, attribute)
        return self._missing(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """``obj[argument]``: a member of an object, a list or a text."""
        charge(1)  # a filter's attribute may be a path of thousands of names, for each member of a list
        if isinstance(obj, Undefined):
            return self._missing(obj, argument)
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.getattr(obj, argument) if isinstance(argument, str) else self._missing(obj, argument)

    def _missing(self, obj: Any, attribute: Any) -> Undefined:
        # Of an undefined value, so that the error names where the path broke off.
        name = brief(attribute)
        if isinstance(obj, Undefined):
            name = f"{brief(obj._undefined_name)}.{name}"  # noqa: SLF001 - Jinja has no public name for it
        return self.undefined(obj=obj, name=name)

    def call(self, __context: Context, __obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a macro, a loop or a helper, and charge for it."""
        charge(10 + len(args) + len(kwargs))
        owner = getattr(__obj, "__self__", None)
        if isinstance(owner, (str, list, dict)):
            longest = max((len(arg) for arg in args if isinstance(arg, str)), default=0)
            charge(len(owner) // _CHARACTERS_PER_STEP * (1 + longest // _LONG_ARGUMENT))
        if isinstance(__obj, LoopContext) and args:
            args = (counted(args[0], 10), *args[1:])
        return super().call(__context, __obj, *args, **kwargs)

    def context(self, variables: Mapping[str, Any]) -> Context:
        """What a template sees. Jinja's own way of making one takes ten times as long as a short render."""
        return Context(self, {**self.globals, **variables}, None, {})


PLAIN: Final = Sandbox(html=False)
HTML: Final = Sandbox(html=True)
