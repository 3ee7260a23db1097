"""Secrets in templates: each may be printed whole, and nothing else may be made of it.

A piece of one, or what depends on it, would tell it bit by bit: to hosts that it is not for, and in errors. So each
``secrets.NAME`` stands by itself in a ``{{ }}``, or there under a filter that keeps it whole; and what it is printed
into is the result, and no text that the template can look at again, as what a macro or ``{% set %}`` captures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from jinja2 import nodes

from app.domain.secret_names import is_secret_name
from app.domain.templating.errors import TemplateError

# What each makes of a text is told from the text, and the text from it.
WHOLE_FILTERS: Final = frozenset({"basic", "tojson", "urlencode"})
_MAX_QUOTED: Final = 100


def printed_secrets(template: nodes.Template, root: str) -> frozenset[str]:
    """Return the names of the secrets that a template prints.

    Args:
        template: The template.
        root: What secrets are members of.

    Raises:
        TemplateError: It does anything else with one; the text has the line and says how to write it.
    """
    found = dict(_printed(template.body, root))
    for node in template.find_all(nodes.Name):
        if node.name == root and id(node) not in found:
            raise TemplateError(_refusal(template, node, root))
    wrong = sorted(name for name in found.values() if not is_secret_name(name))
    if wrong:
        raise TemplateError(f"{root}.{wrong[0][:_MAX_QUOTED]}: no secret can be called that; names are of A-Z 0-9 _")
    return frozenset(found.values())


def _printed(body: Iterable[nodes.Node], root: str) -> Iterator[tuple[int, str]]:
    """Find what is printed where it goes to the result at once: the ids of the nodes that say ``root``, and members."""
    for node in body:
        if isinstance(node, nodes.Output):
            for value in node.nodes:
                yield from _member(_unfiltered(value), root)
        elif isinstance(node, nodes.If):
            yield from _printed([*node.body, *node.elif_, *node.else_], root)
        elif isinstance(node, nodes.For) and not node.recursive:  # a recursive one is called, and returns a text
            yield from _printed([*node.body, *node.else_], root)


def _unfiltered(value: nodes.Expr) -> nodes.Expr | None:
    if isinstance(value, nodes.Filter) and value.name in WHOLE_FILTERS:
        return value.node
    return value


def _member(value: nodes.Expr | None, root: str) -> Iterator[tuple[int, str]]:
    if not isinstance(value, nodes.Getattr | nodes.Getitem) or not isinstance(value.node, nodes.Name):
        return
    name = value.attr if isinstance(value, nodes.Getattr) else _constant(value.arg)
    if value.node.name == root and isinstance(name, str):
        yield id(value.node), name


def _constant(value: nodes.Expr) -> object:
    return value.value if isinstance(value, nodes.Const) else None


def _refusal(template: nodes.Template, found: nodes.Name, root: str) -> str:
    for node in template.find_all((nodes.Getattr, nodes.Getitem)):
        for at, name in _member(node, root):
            if at == id(found) and is_secret_name(name):
                one = f"{root}.{name}"
                ways = ", ".join(f"{{{{ {one}{way} }}}}" for way in ("", " | urlencode", " | tojson"))
                return (
                    f"line {found.lineno}: {one} can only be printed whole: {ways} or, for Basic authorization, "
                    f"{{{{ {one} | basic('user') }}}}; {{% if %}} and {{% for %}} may be around it, but no macro, "
                    "set, filter or call"
                )
    return f"line {found.lineno}: names {root} as a whole; use them one by one, as {{{{ {root}.NAME }}}}"
