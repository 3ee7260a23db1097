"""Small pieces of HTML; whatever comes from the document is escaped."""

import re
from html import escape
from typing import Any, Final

import orjson

_NOT_IN_IDS: Final = re.compile(r"[^A-Za-z0-9_.-]")


def text(value: object) -> str:
    """Return a value as text of a page, or of an attribute."""
    return escape(str(value), quote=True)


def code(value: object) -> str:
    """Return a value as code."""
    return f"<code>{text(value)}</code>"


def anchor(kind: str, name: str) -> str:
    """Return the id of a place on the page."""
    return f"{kind}-{_NOT_IN_IDS.sub('-', name)}"


def as_json(value: Any) -> str:
    """Return JSON with two spaces a level, as text of a page."""
    return text(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def type_html(schema: Any) -> str:
    """Say in short what a schema takes; what it refers to is a link."""
    if not isinstance(schema, dict):
        return "any"
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{anchor("schema", name)}">{text(name)}</a>'
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " or ".join(dict.fromkeys(type_html(one) for one in schema[union]))
    if "enum" in schema or "const" in schema:
        return " | ".join(code(one) for one in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {type_html(schema.get('items'))}"
    kind = text(schema.get("type", "any"))
    return f"{kind} ({text(schema['format'])})" if "format" in schema else kind
