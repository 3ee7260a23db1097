"""Text templates: Jinja2 in a sandbox, strict about variables, bounded in time and output (docs/design.md#8-bounds).

``compile_template(source).render({"customer": {"name": "Ada"}})``. A variable that the event does not have fails the
render and is named; ``default()`` opts out, at any depth of a path. Null prints as nothing, ``true`` and ``false`` as
in JSON, lists and objects as JSON. HTML templates escape what variables bring in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from jinja2 import TemplateSyntaxError, nodes
from jinja2.exceptions import UndefinedError

from app.domain.caching import WeighedCache
from app.domain.profiles import CURRENT_NAMES, CURRENT_ROOT
from app.domain.secret_names import SECRETS_ROOT
from app.domain.templating.budget import CURRENT, Budget
from app.domain.templating.errors import TemplateError, TemplateFailure
from app.domain.templating.plain import plain_parts, render_plain
from app.domain.templating.printing import printed_secrets
from app.domain.templating.sandbox import HTML, PLAIN, Sandbox
from app.domain.templating.syntax import dotted_paths, members_read
from app.domain.wall import WallReachedError, reserve, walled

__all__ = ["Template", "TemplateError", "TemplateFailure", "compile_template"]

MAX_SOURCE: Final = 65_536
MAX_OUTPUT: Final = 65_536
MAX_CODE: Final = 100_000
_CACHED_BYTES: Final = 16 * 2**20
_MAX_MESSAGE: Final = 300
_RESULTS_ROOT: Final = "results"
_UNDEFINED: Final = " is undefined"
# Measured, see docs/decisions/cost-wall.md.
_OVERHEAD: Final = 4_000
_BYTES_PER_CHARACTER: Final = 3
_SECONDS_PER_CHARACTER: Final = 1e-6


class Template:
    """A compiled template; it may be rendered any number of times, also from several threads.

    Attributes:
        current: Which members of ``current`` it looks at.
        secrets: Names of the secrets that it uses.
        results: Whether it may look at ``results``.
        weight: About how many bytes of memory it takes.
    """

    __slots__ = ("_paths", "_plain", "_sandbox", "_source", "_template", "current", "results", "secrets", "weight")

    def __init__(self, sandbox: Sandbox, source: str) -> None:
        tree = sandbox.parse(source)
        self._sandbox = sandbox
        self._source = source
        # Before it is compiled, which changes the tree.
        self.secrets = printed_secrets(tree, SECRETS_ROOT) if SECRETS_ROOT in source else frozenset()
        self.current = _current(tree) if CURRENT_ROOT in source else frozenset()
        self.results = _RESULTS_ROOT in source
        self._plain = None if sandbox.autoescape else plain_parts(source)
        self._template, self.weight = _compiled(sandbox, tree)
        self._paths: set[str] | None = None

    def render(self, context: Mapping[str, Any]) -> str:
        """Render over JSON values by name; at most 65,536 characters.

        Raises:
            TemplateFailure: A variable is undefined, a bound is exceeded, or an expression makes no sense for these
                values. The text has the line and holds no value.
        """
        if self._plain is not None:
            plain = render_plain(self._plain, context, MAX_OUTPUT)
            if plain is not None:
                return plain
        return self._render(context)

    def _render(self, context: Mapping[str, Any]) -> str:
        token = CURRENT.set(Budget())
        try:
            return walled(self._attempt, context)
        except WallReachedError as error:
            raise TemplateFailure(str(error)) from None
        finally:
            CURRENT.reset(token)

    def _attempt(self, context: Mapping[str, Any]) -> str:
        try:
            return self._run(context)
        except Exception as error:  # noqa: BLE001 - an expression can raise anything; it fails this one render only
            raise TemplateFailure(self._describe(error)) from None

    def _run(self, context: Mapping[str, Any]) -> str:
        pieces, size = [], 0
        for piece in self._template.root_render_func(self._sandbox.context(context)):
            size += len(piece)
            if size > MAX_OUTPUT:
                raise TemplateFailure(f"renders to more than {MAX_OUTPUT} characters")
            pieces.append(piece)
        return "".join(pieces)

    def _describe(self, error: Exception) -> str:
        line, trace = 0, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == "<template>":
                line = self._template.get_corresponding_lineno(trace.tb_lineno)
            trace = trace.tb_next
        text = self._name(str(error)) if isinstance(error, UndefinedError) else _explain(error)
        text = text[:_MAX_MESSAGE]
        return f"line {line}: {text}" if line else text

    def _name(self, message: str) -> str:
        """Name an undefined variable by its whole path, if only one path of the template can be meant."""
        if self._paths is None:
            self._paths = dotted_paths(self._sandbox.parse(self._source))
        name = message.removesuffix(_UNDEFINED)
        whole = [path for path in self._paths if path == name or path.endswith(f".{name}")]
        if len(whole) == 1:
            return whole[0] + _UNDEFINED
        # A key that was computed may be a secret; what stands in the template is no secret.
        return message if whole or name == message or name in self._source else f"a computed name{_UNDEFINED}"


def _current(tree: nodes.Template) -> frozenset[str]:
    read = members_read(tree, CURRENT_ROOT)
    return frozenset(CURRENT_NAMES if read is None else read.intersection(CURRENT_NAMES))


def _compiled(sandbox: Sandbox, tree: nodes.Template) -> tuple[Any, int]:
    """Compile a tree; returns the template, and about how many bytes it takes."""
    # Jinja computes what is constant when it compiles; with a budget that ends, the rest is left to the render's.
    token = CURRENT.set(Budget())
    try:
        constant = sum(len(repr(node.data)) for node in tree.find_all(nodes.TemplateData))
        code = sandbox.code_of(tree)
    finally:
        CURRENT.reset(token)
    # Python's own compiler takes no signal: what it gets is bounded.
    if len(code) - constant > MAX_CODE:
        raise TemplateError("is too long: too many pieces of template syntax")
    reserve((len(code) - constant) * _SECONDS_PER_CHARACTER)
    return sandbox.template_of(code), _OVERHEAD + constant + _BYTES_PER_CHARACTER * len(code)


def _explain(error: Exception) -> str:
    """Say what went wrong; the texts of other errors than these may hold values, and so secrets."""
    if isinstance(error, TemplateFailure) or (isinstance(error, TypeError) and "argument" not in str(error)):
        return str(error)
    if isinstance(error, RecursionError):
        return "nests or calls itself too deep"
    return f"can't be computed for these values ({type(error).__name__})"


_cache: Final[WeighedCache[tuple[str, bool], Template]] = WeighedCache(_CACHED_BYTES)


def compile_template(source: str, *, html: bool = False, owner: UUID | None = None) -> Template:
    """Compile a template, or take it from the cache.

    Args:
        source: The template: at most 65,536 characters.
        html: Escape for HTML what variables bring in.
        owner: Whose it is; no owner's templates put all the others' out of the cache.

    Raises:
        TemplateError: The source is no template; the text has the line.
    """
    if len(source) > MAX_SOURCE:
        raise TemplateError(f"is longer than {MAX_SOURCE} characters")
    key = (source, html)
    found = _cache.get(key)
    if found is None:
        found = _compile(source, html=html)
        _cache.put(key, found, found.weight, owner)
    return found


def _compile(source: str, *, html: bool) -> Template:
    try:
        return walled(Template, HTML if html else PLAIN, source)
    except TemplateSyntaxError as error:
        raise TemplateError(f"line {error.lineno}: {(error.message or '')[:_MAX_MESSAGE]}") from error
    except WallReachedError as error:
        raise TemplateError(str(error)) from None
    except (SyntaxError, RecursionError, MemoryError, ValueError, OverflowError) as error:
        # What Jinja lets through and Python then refuses: nesting without end, numbers of thousands of digits.
        raise TemplateError("nests too deep, or holds too large a number") from error
