"""Rewrites a template's syntax tree, so that what may take long or grow large is charged for; refuses what needs files.

What the rewriting puts in are filters with a blank in their name, which no template can spell.
"""

from __future__ import annotations

from typing import Any, Final

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from app.domain.templating.errors import TemplateError

MAX_NODES: Final = 4_000
CHARGE: Final = "bounded charge"
CONCAT: Final = "bounded concat"
LOOP: Final = "bounded loop"
OPERAND: Final = "bounded operand"
_CHARACTERS_PER_NODE: Final = 16

_REFUSED: Final[dict[type[nodes.Node], str]] = {
    nodes.Block: "block",
    nodes.Extends: "extends",
    nodes.FromImport: "from",
    nodes.Import: "import",
    nodes.Include: "include",
    nodes.ScopedEvalContextModifier: "autoescape",
}


def bound(template: nodes.Template) -> nodes.Template:
    """Check and rewrite a template.

    Raises:
        TemplateError: It has a statement that templates may not use, or is too long.
    """
    count = 0
    for node in template.find_all(nodes.Node):
        count += 1
        if type(node) in _REFUSED:
            raise TemplateError(f"line {node.lineno}: {{% {_REFUSED[type(node)]} %}} can't be used here")
    if count > MAX_NODES:
        raise TemplateError(f"is too long: more than {MAX_NODES} pieces of template syntax")
    bounded: nodes.Template = _Bounds().visit(template)
    return bounded


def _weight(body: list[nodes.Node]) -> int:
    """What running it once costs in steps, loops in it taken once."""
    inside = [node for part in body for node in (part, *part.find_all(nodes.Node))]
    constant = sum(len(node.data) for node in inside if isinstance(node, nodes.TemplateData))
    return 1 + len(inside) + constant // _CHARACTERS_PER_NODE


def _filter(name: str, value: nodes.Node, *args: Any) -> nodes.Filter:
    line = value.lineno
    constants: list[nodes.Expr] = [nodes.Const(arg, lineno=line) for arg in args]
    return nodes.Filter(value, name, constants, [], None, None, lineno=line)


def dotted_paths(template: nodes.Template) -> set[str]:
    """Every path of a template, such as ``customer.name``, and all of its beginnings."""
    found = template.find_all((nodes.Name, nodes.Getattr, nodes.Getitem))
    return {path for node in found if (path := _dotted(node)) is not None}


def members_read(template: nodes.Template, name: str) -> set[str] | None:
    """Which members of a variable are read, as ``customer`` of ``current.customer.name``; None: it is used whole."""
    wholes = sum(node.name == name and node.ctx == "load" for node in template.find_all(nodes.Name))
    found = set()
    for node in template.find_all((nodes.Getattr, nodes.Getitem)):
        path = _dotted(node)
        if path is not None and path.startswith(f"{name}.") and path.count(".") == 1:
            found.add(path.removeprefix(f"{name}."))
            wholes -= 1
    return None if wholes > 0 else found


def _dotted(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Name):
        return node.name
    if not isinstance(node, (nodes.Getattr, nodes.Getitem)):
        return None
    last = (
        node.attr if isinstance(node, nodes.Getattr) else node.arg.value if isinstance(node.arg, nodes.Const) else None
    )
    start = _dotted(node.node)
    return None if start is None or last is None else f"{start}.{last}"


class _Bounds(NodeTransformer):
    """Rewrites from the leaves up."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - named after the node
        """Charge for each iteration, by the weight of the body."""
        steps = _weight([*node.body, *([node.test] if node.test else [])])
        self.generic_visit(node)
        node.iter = _filter(LOOP, node.iter, steps)
        return node

    def visit_Macro(self, node: nodes.Macro) -> nodes.Macro:  # noqa: N802 - named after the node
        """Charge for each call."""
        self._charge_body(node)
        return node

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.CallBlock:  # noqa: N802 - named after the node
        """Charge for each call of ``caller``."""
        self._charge_body(node)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:  # noqa: N802 - named after the node
        """Bound the length of ``a ~ b``."""
        self.generic_visit(node)
        return _filter(CONCAT, nodes.List(node.nodes, lineno=node.lineno))

    def visit_Compare(self, node: nodes.Compare) -> nodes.Compare:  # noqa: N802 - named after the node
        """Charge for what is compared; constants are short."""
        self.generic_visit(node)
        node.expr = self._operand(node.expr)
        for part in node.ops:
            part.expr = self._operand(part.expr)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Getitem:  # noqa: N802 - named after the node
        """Charge for what is sliced."""
        self.generic_visit(node)
        if isinstance(node.arg, nodes.Slice):
            node.node = self._operand(node.node)
        return node

    def visit_List(self, node: nodes.List) -> nodes.Expr:  # noqa: N802 - named after the node
        """Bound what a list literal holds."""
        return self._literal(node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Expr:  # noqa: N802 - named after the node
        """Bound what an object literal holds."""
        return self._literal(node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Expr:  # noqa: N802 - named after the node
        """Bound what a tuple literal holds, but not the names that a loop assigns to."""
        return self._literal(node) if node.ctx == "load" else node

    def _literal(self, node: nodes.Expr) -> nodes.Expr:
        self.generic_visit(node)
        return _filter(OPERAND, node)

    def _operand(self, node: nodes.Expr) -> nodes.Expr:
        return node if isinstance(node, nodes.Const) else _filter(OPERAND, node)

    def _charge_body(self, node: nodes.Macro | nodes.CallBlock) -> None:
        steps = _weight(node.body)
        self.generic_visit(node)
        charge = _filter(CHARGE, nodes.Const(steps, lineno=node.lineno))
        node.body = [nodes.ExprStmt(charge, lineno=node.lineno), *node.body]
