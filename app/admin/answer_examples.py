"""Examples of answers in the OpenAPI document: what the API has answered (``make api-examples``), and each problem."""

from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import orjson

RECORDED: Final = Path(__file__).with_name("answers.json")
_INSTANCE: Final = "urn:uuid:0190a0c0-0000-7000-8000-000000000001"
_ERROR: Final = {"path": "actions[0].config.tag", "message": "feild: is field meant?"}
_ROW: Final = '{"id":"0190a0c0-0000-7000-8000-000000000001","status":"success"}'
# Of what is no JSON, by its content type.
TEXTS: Final = {
    "text/csv": "id,workflow_id,workflow_name,version\r\n",
    "application/jsonl": f"{_ROW}\n",
    "text/event-stream": f": open\n\nid: 1772359200.780:780:\nevent: execution\ndata: {_ROW}\n\n",
    "text/plain": "# HELP headrace_admin_requests_total Requests\n# TYPE headrace_admin_requests_total counter\n",
    "text/html": "<!doctype html>",
}


@cache
def recorded() -> dict[str, Any]:
    """Return what operations have answered, by their names."""
    found: dict[str, Any] = orjson.loads(RECORDED.read_bytes()) if RECORDED.exists() else {}
    return found


def problem_examples(said: dict[int, str]) -> dict[str, Any]:
    """Return a problem document for each status."""
    return {
        f"Problem{status}": {
            "value": {
                "type": "about:blank",
                "title": HTTPStatus(status).phrase,
                "status": status,
                "detail": detail,
                "instance": _INSTANCE,
                "errors": [_ERROR] if status == HTTPStatus.BAD_REQUEST else [],
            }
        }
        for status, detail in said.items()
    }
