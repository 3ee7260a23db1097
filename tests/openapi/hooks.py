"""What Schemathesis cannot know: ids of things that are there, and versions that are theirs. It runs in Schemathesis.

Every second call of an operation is made on a thing that is there, made for that call by the example that the document
gives; the others are left as they were generated. What each operation answered is counted in a file.
"""

import json
import os
from collections import Counter
from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests
import schemathesis

from tests.openapi.setting import ANSWERS, BASE, DOCUMENT, ROWS, TOKEN
from tests.support.deadlines import scaled

_BASE = os.environ[BASE]
_HEADERS = {"Authorization": f"Bearer {os.environ[TOKEN]}"}
_DOCUMENT = json.loads(Path(os.environ[DOCUMENT]).read_text())
_ROWS = {name: cycle(ids) for name, ids in json.loads(os.environ[ROWS]).items()}
_SHARED = {
    "customer": "c-1042",
    "conversation": "v-301",
    "order": "o-5001",
    "partner": "p-7",
    "tag": "VIP",
    "name": "KEY",
}
_answers: dict[str, Counter[str]] = {}
_calls: Counter[str] = Counter()


@schemathesis.hook
def before_call(context: Any, case: Any, **_: Any) -> None:
    """Put a thing that is there into every second call."""
    del context
    name = case.operation.definition.raw.get("operationId", "")
    _calls[name] += 1
    if _calls[name] % 2 == 0 or case.method.upper() != case.operation.method.upper():
        return
    for parameter in case.path_parameters or {}:
        case.path_parameters[parameter] = _there(case.operation.path, parameter)
    if case.headers is not None and "If-Match" in case.headers:
        case.headers["If-Match"] = "*"


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Count what it answered."""
    del context
    if case.method.upper() != case.operation.method.upper():
        return
    name = case.operation.definition.raw["operationId"]
    counted = _answers.setdefault(name, Counter())
    counted[str(response.status_code)] += 1
    if counted.total() % 10 == 1 or response.status_code < 300:
        Path(os.environ[ANSWERS]).write_text(json.dumps(_answers))


def _there(path: str, parameter: str) -> str:
    collection = path.partition(f"/{{{parameter}}}")[0]
    if collection in _ROWS:
        return str(next(_ROWS[collection]))
    if parameter in _SHARED:
        for makes in ("/api/v1/crm/customers", "/api/v1/crm/conversations", "/api/v1/sales/orders"):
            _post(makes, {})
        return _SHARED[parameter]
    unique = {"name": f"n{uuid4().hex[:12]}"} if "name" in _example(collection) else {}
    made = _post(collection, unique)
    return str(made.get("id", uuid4()))


def _example(path: str) -> Mapping[str, Any]:
    content = _DOCUMENT["paths"][path].get("post", {}).get("requestBody", {}).get("content", {})
    example: Mapping[str, Any] = content.get("application/json", {}).get("example", {})
    return example


def _post(path: str, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    answer = requests.post(_BASE + path, json={**_example(path), **changes}, headers=_HEADERS, timeout=scaled(30))
    made: Mapping[str, Any] = answer.json() if answer.ok else {}
    return made
