"""One operation on the page: what it takes, what it answers, and a line that calls it."""

import shlex
from collections.abc import Mapping
from typing import Any, Final

import orjson

from app.admin.docs_page.parts import anchor, as_json, code, text, type_html

_BASE: Final = "http://127.0.0.1:8080"
_VALUES: Final = {"If-Match": "*"}

Described = Mapping[str, Any]


def operation_html(method: str, path: str, operation: Described) -> str:
    """Return an operation as a part of the page that can be opened."""
    return (
        f'<details id="{anchor("operation", operation["operationId"])}">'
        f'<summary><span class="method {method.lower()}">{text(method)}</span> {code(path)} '
        f"<span>{text(operation['summary'])}</span></summary>"
        f"<p>{text(operation.get('description', ''))}</p>"
        f"{_parameters(operation['parameters'])}{_body(operation.get('requestBody'))}{_answers(operation['responses'])}"
        f"<h4>Call it</h4><pre><code>{text(curl(method, path, operation))}</code></pre></details>"
    )


def curl(method: str, path: str, operation: Described) -> str:
    """Return the line that calls an operation, with its example."""
    parts = ["curl", "-X", method] if method != "GET" else ["curl"]
    line = shlex.join([*parts, _BASE + path])
    if operation["security"]:
        line += ' -H "Authorization: Bearer $HEADRACE_API_TOKEN"'
    for parameter in operation["parameters"]:
        if parameter["in"] == "header" and parameter.get("required"):
            line += " -H " + shlex.quote(f"{parameter['name']}: {_VALUES.get(parameter['name'], '')}")
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        line += f" \\\n  -H {shlex.quote(f'Content-Type: {kind}')}"
        line += f" \\\n  -d {shlex.quote(orjson.dumps(content['example']).decode())}"
        break
    return line


def _parameters(parameters: list[Described]) -> str:
    rows = "".join(
        f"<tr><td>{code(one['name'])}</td><td>{text(one['in'])}{', required' if one.get('required') else ''}</td>"
        f"<td>{type_html(one['schema'])}</td>"
        f"<td>{text(one.get('description') or one['schema'].get('description', ''))}</td></tr>"
        for one in parameters
    )
    head = "<tr><th>Name</th><th>Where</th><th>Type</th><th>What</th></tr>"
    return f"<h4>Parameters</h4><table>{head}{rows}</table>" if rows else ""


def _body(body: Described | None) -> str:
    if body is None:
        return ""
    shown, seen = "", None
    for kind, content in body["content"].items():
        shown += f"<p>{code(kind)}: {type_html(content['schema'])}</p>"
        if content["example"] != seen:
            seen = content["example"]
            shown += f"<pre><code>{as_json(seen)}</code></pre>"
    return f"<h4>Body</h4><p>{text(body['description'])}.</p>{shown}"


def _answers(responses: Mapping[str, Described]) -> str:
    rows = "".join(
        f"<tr><td>{code(status)}</td><td>{text(answer['description'])}</td><td>{_content(answer)}</td></tr>"
        for status, answer in sorted(responses.items())
    )
    head = "<tr><th>Status</th><th>When</th><th>Body</th></tr>"
    return f"<h4>Answers</h4><table>{head}{rows}</table>{_answered(responses)}"


def _answered(responses: Mapping[str, Described]) -> str:
    """Show what it has answered, where that is JSON."""
    for answer in responses.values():
        for kind, content in answer.get("content", {}).items():
            if "example" in content and kind == "application/json":
                return f"<h4>Answer</h4><pre><code>{as_json(content['example'])}</code></pre>"
    return ""


def _content(answer: Described) -> str:
    kinds = answer.get("content", {}).items()
    return "<br>".join(type_html(one["schema"]) if "schema" in one else code(kind) for kind, one in kinds)
