"""What an operation may refuse though its schema allows it, and why: one entry an operation in Schemathesis' terms."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from app.admin.operations import Operation
from app.admin.routes import OPERATIONS

BASE: Final = Path(__file__).parents[2] / "schemathesis.toml"
_BODY: Final = "rules between fields, and names of actions, fields and things that are there: no schema says them"
_CURSOR: Final = "a cursor is taken from an earlier answer, and a moment from a calendar; a schema only says: text"
_VERSION: Final = "If-Match names a version, which only who has read the thing knows"
_MISSING: Final = ("400", "401", "403", "404", "415", "428")
_OVER: Final = "over a draft If-Match must say which"
_POSITIVE: Final = ("2xx", "3xx", "401", "403", "404", "409", "429")
_NEGATIVE: Final = ("400", "401", "403", "404", "405", "406", "408", "409", "411", "413", "415", "422", "428", "431")
_READY: Final = """
# 503: it is what this one answers where something that the API stands on fails: here nothing relays the outbox.
[[operations]]
include-operation-id = "readyz"
checks.not_a_server_error.expected-statuses = ["2xx", "4xx", "503"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "503"]
"""


def configuration() -> str:
    """Return schemathesis.toml with what each operation may refuse."""
    return BASE.read_text() + _READY + "".join(_entries(OPERATIONS))


def _entries(operations: Iterable[Operation]) -> Iterator[str]:
    for operation in operations:
        allowed = {**({"400": _refuses(operation)} if _refuses(operation) else {})}
        if operation.if_match != "no":
            allowed["412"] = _VERSION
        if operation.if_match == "over":
            allowed["428"] = _OVER
        if allowed:
            why = "".join(f"# {status}: {reason}.\n" for status, reason in allowed.items())
            positive = json.dumps([*_POSITIVE, *allowed])
            negative = json.dumps(sorted({*_NEGATIVE, *allowed}))
            yield (
                f"\n{why}[[operations]]\ninclude-operation-id = {json.dumps(operation.name)}\n"
                f"checks.positive_data_acceptance.expected-statuses = {positive}\n"
                f"checks.negative_data_rejection.expected-statuses = {negative}\n"
                f"checks.missing_required_header.expected-statuses = {json.dumps(_MISSING)}\n"
            )


def _refuses(operation: Operation) -> str:
    if operation.body is not None:
        return _BODY
    return _CURSOR if operation.query is not None else ""
