"""The page as a whole: how to begin, the operations by tag, the schemas."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.admin.docs_page.operation import operation_html
from app.admin.docs_page.parts import anchor, as_json, code, text
from app.admin.docs_page.style import STYLE

_DIGEST: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
# No script runs and nothing is loaded; the one style is that of the page, known by its digest.
POLICY: Final = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; frame-ancestors 'none'"

Document = Mapping[str, Any]


def docs_page(document: Document) -> str:
    """Return the page that shows an OpenAPI document."""
    by_tag = _by_tag(document)
    title = text(f"{document['info']['title']} API {document['info']['version']}")
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{title}</title><style>{STYLE}</style></head><body>",
            f'<nav aria-label="Contents"><p><a href="#top"><strong>{title}</strong></a></p>',
            f"{_contents(document, by_tag)}</nav>",
            f'<main id="top"><h1>{title}</h1>{_beginning(document)}',
            *(_section(tag, by_tag[tag["name"]]) for tag in document["tags"]),
            _schemas(document),
            "</main></body></html>",
        )
    )


def _by_tag(document: Document) -> dict[str, list[tuple[str, str, Mapping[str, Any]]]]:
    by_tag: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    return by_tag


def _contents(document: Document, by_tag: Mapping[str, list[Any]]) -> str:
    names = [tag["name"] for tag in document["tags"]]
    lines = (
        f'<li><a href="#{anchor("tag", name)}">{text(name)}</a> <small>{len(by_tag[name])}</small></li>'
        for name in names
    )
    return f'<ul>{"".join(lines)}<li><a href="#schemas">schemas</a></li></ul>'


def _beginning(document: Document) -> str:
    called = 'curl -H "Authorization: Bearer $HEADRACE_API_TOKEN" http://127.0.0.1:8080/api/v1/workflows'
    schemes = "".join(
        f"<dt>{code(name)}</dt><dd>{text(scheme.get('description', scheme['type']))}</dd>"
        for name, scheme in document["components"]["securitySchemes"].items()
    )
    return (
        f"<p>{text(document['info']['description'])}. The document behind this page: "
        '<a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>'
        f"<pre><code>{text(called)}</code></pre><h2>Who calls</h2><dl>{schemes}</dl>"
    )


def _section(tag: Mapping[str, str], operations: list[tuple[str, str, Mapping[str, Any]]]) -> str:
    shown = "".join(operation_html(*one) for one in operations)
    name = tag["name"]
    return (
        f'<section aria-labelledby="{anchor("tag", name)}"><h2 id="{anchor("tag", name)}">{text(name)}</h2>'
        f"<p>{text(tag['description'])}.</p>{shown}</section>"
    )


def _schemas(document: Document) -> str:
    return f'<section><h2 id="schemas">schemas</h2>{"".join(_each_schema(document))}</section>'


def _each_schema(document: Document) -> Iterator[str]:
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield (
            f'<details id="{anchor("schema", name)}"><summary><code>{text(name)}</code> '
            f"{text(schema.get('description', '').partition(chr(10))[0])}</summary>"
            f"<pre><code>{as_json(schema)}</code></pre></details>"
        )
