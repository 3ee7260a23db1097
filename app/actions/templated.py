"""Templated fields: which fields of a config are templates, and how they are compiled and rendered.

A field says so in its annotation: ``Annotated[str, Templated()]``. Its value may be a string, or any JSON value with
strings in it; each string is a template of its own, so that a failure can be named by its path (``headers.X-Shop``).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from app.actions.base import ActionConfig
from app.domain.errors import ActionFailedError, CostlyError, FieldError
from app.domain.templating import TemplateError, TemplateFailure, compile_template
from app.domain.wall import WallReachedError, walled


@dataclass(frozen=True, slots=True)
class Templated:
    """Marks a field whose strings are Jinja2 templates; ``html`` escapes what variables bring in."""

    html: bool = False

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say so in the JSON Schema too, for editors: ``x-template`` is ``text`` or ``html``."""
        schema = handler(core_schema)
        schema["x-template"] = "html" if self.html else "text"
        return schema


C = TypeVar("C", bound=ActionConfig)

_NO_SECRETS: Final = "cannot use secrets: what this action writes is kept here, for everybody who may read it"


def is_constant(source: str) -> bool:
    """Tell whether a string holds no template syntax, so that its value is known on save."""
    return "{{" not in source and "{%" not in source and "{#" not in source


def is_known(value: Any) -> bool:
    """Tell whether a JSON value is known on save: no string in it is a template."""
    if isinstance(value, Mapping):
        return all(map(is_known, value.values()))
    if isinstance(value, list | tuple):
        return all(map(is_known, value))
    return not isinstance(value, str) or is_constant(value)


def templated_fields(model: type[BaseModel]) -> dict[str, Templated]:
    """Return the model's templated fields by name."""
    marks = {name: [m for m in info.metadata if isinstance(m, Templated)] for name, info in model.model_fields.items()}
    return {name: found[0] for name, found in marks.items() if found}


class _Place:
    """Which field is being compiled or rendered, for the error that says where the wall was reached."""

    __slots__ = ("path",)

    def __init__(self) -> None:
        self.path = ""


_at: Final = _Place()


class _Node(Protocol):
    def render(self, scope: Mapping[str, Any]) -> Any: ...


@dataclass(frozen=True, slots=True)
class _Constant:
    value: Any

    def render(self, _scope: Mapping[str, Any]) -> Any:
        return self.value


@dataclass(frozen=True, slots=True)
class _Leaf:
    path: str
    template: Any

    def render(self, scope: Mapping[str, Any]) -> Any:
        _at.path = self.path
        try:
            return self.template.render(scope)
        except TemplateFailure as error:
            raise ActionFailedError(f"{self.path}: {error}", permanent=True) from error


@dataclass(frozen=True, slots=True)
class _Items:
    nodes: tuple[_Node, ...]

    def render(self, scope: Mapping[str, Any]) -> list[Any]:
        return [node.render(scope) for node in self.nodes]


@dataclass(frozen=True, slots=True)
class _Members:
    nodes: Mapping[str, _Node]

    def render(self, scope: Mapping[str, Any]) -> dict[str, Any]:
        return {name: node.render(scope) for name, node in self.nodes.items()}


@dataclass(frozen=True, slots=True)
class Compiled(Generic[C]):
    """A validated config with its templates compiled; implements ``app.actions.base.CompiledConfig``."""

    config: C
    nodes: Mapping[str, _Node]
    current: frozenset[str]
    secrets: frozenset[str]
    results: bool
    weight: int

    def place_of(self, secret: str) -> str:
        """Return the path of the first field that uses a secret: in a template, or by its very name."""
        leaves = (leaf.path for leaf in _leaves(self.nodes.values()) if secret in leaf.template.secrets)
        named = (name for name, value in self.config if value == secret)
        return next(leaves, None) or next(named)

    def render(self, scope: Mapping[str, Any]) -> dict[str, Any]:
        """Return the templated fields by name, rendered: all of them within one wall.

        Raises:
            CostlyError: They came to the wall; names the field at which they did.
            ActionFailedError: Permanent; names the field and what is wrong in it.
        """
        try:
            return walled(self._render, scope)
        except WallReachedError as error:
            raise CostlyError(f"{_at.path}: {error}") from None

    def _render(self, scope: Mapping[str, Any]) -> dict[str, Any]:
        return {name: node.render(scope) for name, node in self.nodes.items()}


@dataclass(frozen=True, slots=True)
class _LeafCompiler:
    """Compiles single templates; what is wrong with them is added to ``errors``."""

    owner: UUID | None
    errors: list[FieldError]

    def __call__(self, source: str, path: str, mark: Templated) -> _Node:
        _at.path = path
        try:
            return _Leaf(path, compile_template(source, html=mark.html, owner=self.owner))
        except TemplateError as error:
            self.errors.append(FieldError(path, str(error)))
            return _Constant(source)


def compile_config(
    config: C, *, takes_secrets: bool, owner: UUID | None = None
) -> tuple[Compiled[C], list[FieldError]]:
    """Compile every template of a config, all of them within one wall.

    The errors, one per template that does not compile, come beside it.

    Args:
        config: The config, validated.
        takes_secrets: Whether templates may use secrets.
        owner: Whose it is, for the cache.
    """
    try:
        return walled(_compiled, config, takes_secrets, owner)
    except WallReachedError as error:
        return Compiled(config, {}, frozenset(), frozenset(), results=False, weight=0), [
            FieldError(_at.path, str(error))
        ]


def _compiled(
    config: C,
    takes_secrets: bool,  # noqa: FBT001 - handed through by position
    owner: UUID | None,
) -> tuple[Compiled[C], list[FieldError]]:
    errors: list[FieldError] = []
    compile_leaf = _LeafCompiler(owner, errors)
    nodes = {
        name: _compile(getattr(config, name), name, mark, compile_leaf)
        for name, mark in templated_fields(type(config)).items()
    }
    leaves = list(_leaves(nodes.values()))
    if not takes_secrets:
        errors += [FieldError(leaf.path, _NO_SECRETS) for leaf in leaves if leaf.template.secrets]
    current = frozenset().union(*(leaf.template.current for leaf in leaves))
    secrets = config.named_secrets.union(*(leaf.template.secrets for leaf in leaves))
    results = any(leaf.template.results for leaf in leaves)
    weight = sum(leaf.template.weight for leaf in leaves)
    return Compiled(config, nodes, current, secrets, results, weight), errors


def _leaves(nodes: Iterable[_Node]) -> Iterator[_Leaf]:
    for node in nodes:
        if isinstance(node, _Leaf):
            yield node
        elif isinstance(node, _Members):
            yield from _leaves(node.nodes.values())
        elif isinstance(node, _Items):
            yield from _leaves(node.nodes)


def _compile(value: Any, path: str, mark: Templated, leaf: _LeafCompiler) -> _Node:
    if isinstance(value, str) and not is_constant(value):
        return leaf(value, path, mark)
    if isinstance(value, Mapping):
        members = {name: _compile(item, f"{path}.{name}", mark, leaf) for name, item in value.items()}
        return _Constant(value) if _all_constant(members.values()) else _Members(members)
    if isinstance(value, list | tuple):
        items = tuple(_compile(item, f"{path}[{i}]", mark, leaf) for i, item in enumerate(value))
        return _Constant(value) if _all_constant(items) else _Items(items)
    return _Constant(value)


def _all_constant(nodes: Any) -> bool:
    return all(isinstance(node, _Constant) for node in nodes)
