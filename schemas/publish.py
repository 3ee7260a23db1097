"""``make schemas``: writes the JSON Schema of every contract to ``schemas/json``, for readers in other languages."""

import sys
from pathlib import Path
from typing import Any, Final

import orjson

from schemas.base import Contract
from schemas.command import Command
from schemas.dead_letter import DeadLetter
from schemas.event import Event
from schemas.execution import Execution
from schemas.problem import Problem
from schemas.result import ActionResult
from schemas.workflow import Revision, WorkflowDraft

FOLDER: Final = Path(__file__).parent / "json"
CONTRACTS: Final[dict[str, type[Contract]]] = {
    "event": Event,
    "workflow-draft": WorkflowDraft,
    "workflow-revision": Revision,
    "command": Command,
    "action-result": ActionResult,
    "execution": Execution,
    "dead-letter": DeadLetter,
    "problem": Problem,
}


def schema_of(name: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a contract by its published name."""
    body = CONTRACTS[name].model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:headrace:schema:{name}:1", **body}


def encoded(name: str) -> bytes:
    """Return the file's content."""
    return orjson.dumps(schema_of(name), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def main() -> None:
    """Write every schema."""
    FOLDER.mkdir(exist_ok=True)
    for name in CONTRACTS:
        (FOLDER / f"{name}.json").write_bytes(encoded(name))
    sys.stdout.write(f"{len(CONTRACTS)} schemas in {FOLDER}\n")


if __name__ == "__main__":
    main()
