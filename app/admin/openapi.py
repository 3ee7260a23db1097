"""The OpenAPI 3.1 document, generated from the declared operations and their pydantic models."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from app.admin.answer_examples import TEXTS, problem_examples, recorded
from app.admin.operations import EVENT_STREAM, JSON, MERGE_PATCH, TAGS, Body, Operation
from schemas.problem import PROBLEM_CONTENT_TYPE, Problem

_REF: Final = "#/components/schemas/{model}"
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_IF_MATCH: Final = "The ETag that was read, or several with commas, or * for any version"
_OVER: Final = "; without it only where there is nothing to overwrite, else 428"
_UUID: Final = {"type": "string", "format": "uuid"}
_ID: Final = {"type": "string", "minLength": 1, "maxLength": 256}
_PATH_SCHEMAS: Final = {
    **dict.fromkeys(("customer", "tag", "conversation", "order", "partner"), _ID),
    "type": {"type": "string", "minLength": 1, "maxLength": 100, "examples": ["order.paid"]},
    "number": {"type": "integer", "minimum": 1},
    "version": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
    "name": {"type": "string", "pattern": "^[A-Z][A-Z0-9_]{0,63}$"},
}

_REPEATABLE: Final = {
    "Idempotency-Key": "The same request under the same key of a caller is carried out once; another one is 422",
    "Headrace-Causation": "The causation of what led to this change, as it was handed over; its events carry it on",
}
_REPEATED: Final = {
    "Idempotency-Key": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "Headrace-Causation": {"type": "string"},
}
# A browser's session: its cookie, and what no other site's page can send.
_SECURITY: Final = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A user's JWT, or the API key of a service: Authorization: Bearer …",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-headrace_session",
        "description": "A browser's session, by its cookie (headrace_session over plain HTTP on loopback)",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "With a session, what changes something brings the token that GET /api/v1/session answers",
    },
}
_WHEN: Final = {
    400: "Something in it is wrong; errors names each field",
    401: "No token, or one that does not hold",
    403: "The caller may not do this",
    404: "There is no such thing, or none that the caller may see",
    406: "The answer is in none of the content types that Accept takes",
    408: "The body was not here in time",
    409: "The thing is in a state in which this cannot be done",
    412: "Somebody has changed it since: If-Match names another version",
    413: "The body is too large",
    415: "The body is in a content type or coding that is not read here",
    422: "The Idempotency-Key was used for another method, path or body",
    428: "If-Match is missing",
    429: "Too many requests, or bytes under way: wait as Retry-After says",
    500: "Something went wrong here; instance is the id to quote",
    503: "A system behind the API does not answer; it may be tried again",
}
_RETRY_AFTER: Final = {"description": "Seconds", "schema": {"type": "integer", "minimum": 0}}
_STRING: Final = {"type": "string"}
_LAST_EVENT: Final = "The id of the last event that was seen: what came since is told first"
# RFC 9110, section 13.1.1: any version, or a list of them; an empty one names none.
_TAGS: Final = r'^(\*|(W/)?"[^"]*"( *, *(W/)?"[^"]*")*)$'
_ETAG: Final = {"description": "The version", "schema": {"type": "string"}}

Schemas = Mapping[Any, dict[str, Any]]


def openapi(operations: Iterable[Operation], version: str) -> dict[str, Any]:
    """Return the document as JSON values.

    Args:
        operations: Everything the API offers.
        version: The software's version.
    """
    listed = tuple(operations)
    schemas, definitions = models_json_schema(sorted(_models(listed), key=str), ref_template=_REF)
    used = {operation.tag for operation in listed}
    paths: dict[str, dict[str, Any]] = {}
    for operation in listed:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Headrace", "version": version, "description": "Business automation on Kafka"},
        "tags": [{"name": name, "description": said} for name, said in TAGS.items() if name in used],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "examples": problem_examples(_WHEN),
            "securitySchemes": _SECURITY,
        },
    }


def _models(operations: Iterable[Operation]) -> set[tuple[type[BaseModel], JsonSchemaMode]]:
    models: set[tuple[type[BaseModel], JsonSchemaMode]] = {(Problem, "serialization")}
    for operation in operations:
        models |= {(model, "serialization") for model in operation.answers.values() if model is not None}
        models |= {(model, "validation") for model, _ in (operation.body.models.values() if operation.body else ())}
    return models


def _operation(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": _access(operation),
        "tags": [operation.tag],
        "parameters": _parameters(operation),
        "responses": {str(status): _success(operation, status, schemas) for status in operation.answers},
        "security": [] if operation.access == "public" else _security(operation),
    }
    if operation.body:
        described["requestBody"] = _body(operation.body, schemas)
    for status in _problems(operation):
        described["responses"].setdefault(str(status), _problem(status, schemas))
    return described


def _access(operation: Operation) -> str:
    """Say who may call it."""
    if operation.access == "public":
        return "Open to everybody."
    who = "For administrators" if operation.access == "admin" else "For every user"
    if operation.permission is not None:
        who = f"For administrators, and for callers with the permission {operation.permission}"
    return f"{who}; {'API keys may call it too' if operation.open_to_keys else 'not for API keys'}."


def _body(body: Body, schemas: Schemas) -> dict[str, Any]:
    content, said = {}, f"At most {body.most} bytes, unpacked"
    # The same under two names: clients are made of one alone, as some generators stumble over a body of several.
    if MERGE_PATCH in body.models and JSON in body.models:
        said += f"; {JSON} is read as {MERGE_PATCH} is"
    for kind, (model, many) in body.models.items():
        if kind == JSON and MERGE_PATCH in body.models:
            continue
        schema = schemas[(model, "validation")]
        content[kind] = (
            {"schema": {"type": "array", "items": schema}, "example": [body.example]}
            if many
            else {"schema": schema, "example": body.example}
        )
    return {"required": not body.optional, "description": said, "content": content}


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    session: dict[str, list[str]] = {"session": []} if operation.method == "GET" else {"session": [], "csrf": []}
    return [{"bearer": []}, session]


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _PATH_SCHEMAS.get(name, _UUID)}
        for name in _PARAMETER.findall(operation.path)
    ]
    if operation.query:
        parameters += _query(operation.query.model_json_schema(by_alias=True))
    if operation.if_match != "no":
        parameters.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": operation.if_match == "required",
                "description": _IF_MATCH + (_OVER if operation.if_match == "over" else ""),
                "schema": {"type": "string", "pattern": _TAGS},
            }
        )
    if operation.content_type == EVENT_STREAM:
        parameters.append({"name": "Last-Event-ID", "in": "header", "description": _LAST_EVENT, "schema": _STRING})
    if operation.repeatable:
        parameters += [
            {"name": name, "in": "header", "description": said, "schema": _REPEATED[name]}
            for name, said in _REPEATABLE.items()
        ]
    return parameters


def _query(model: Mapping[str, Any]) -> list[dict[str, Any]]:
    required = model.get("required", ())
    return [
        {"name": name, "in": "query", **({"required": True} if name in required else {}), "schema": _given(schema)}
        for name, schema in model["properties"].items()
    ]


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter that is there: what may be left out is null in its model, and never in a URL."""
    kinds = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name != "anyOf" and value is not None}, **kinds[0]}


def _success(operation: Operation, status: int, schemas: Schemas) -> dict[str, Any]:
    response: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    model = operation.answers[status]
    if model is not None:
        example = recorded().get(operation.name)
        shown = {"example": example} if example is not None and status == min(operation.answers) else {}
        response["content"] = {operation.content_type: {"schema": schemas[(model, "serialization")], **shown}}
    elif status != HTTPStatus.NO_CONTENT:
        kinds = (operation.content_type, *operation.or_content_types)
        # A stream of events is no one text: OpenAPI has words for its items from 3.2 on only.
        response["content"] = {kind: _text(kind) for kind in kinds}
    if operation.etag:
        response["headers"] = {"ETag": _ETAG}
    return response


def _text(kind: str) -> dict[str, Any]:
    return {**({} if kind == EVENT_STREAM else {"schema": _STRING}), "example": TEXTS[kind]}


def _problems(operation: Operation) -> list[int]:
    statuses = [400, 500, 503]  # what is no text, or too long, is 400 on any path
    if operation.access != "public" or operation.attempts:
        statuses += [401, 403, 429]
    if operation.kinds:
        statuses.append(406)
    if operation.body:
        statuses += [408, 413, 415]
    if "{" in operation.path:
        statuses.append(404)
    if operation.conflicts:
        statuses.append(409)
    if operation.repeatable:
        statuses.append(422)
    if operation.if_match != "no":
        statuses.append(412)
    if operation.if_match in {"over", "required"}:
        statuses.append(428)
    return sorted(statuses)


def _problem(status: int, schemas: Schemas) -> dict[str, Any]:
    schema = schemas[(Problem, "serialization")]
    headers = {"headers": {"Retry-After": _RETRY_AFTER}} if status == HTTPStatus.TOO_MANY_REQUESTS else {}
    examples = {"problem": {"$ref": f"#/components/examples/Problem{status}"}}
    content = {PROBLEM_CONTENT_TYPE: {"schema": schema, "examples": examples}}
    return {"description": _WHEN[status], **headers, "content": content}
