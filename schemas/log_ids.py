"""The ids that lines of the log name things by, one name each everywhere (docs/logs.md).

For ``extra`` of a line, and for :func:`app.domain.log_context.about`, which asks for them only when a line is written.
"""

from typing import Any

import orjson

from schemas.command import Command
from schemas.incoming import Incoming


def of_record(record: Incoming) -> dict[str, Any]:
    """Return where a record stands."""
    return {"topic": record.topic, "partition": record.partition, "offset": record.offset}


def of_event(record: Incoming, event_id: str, source: str) -> dict[str, Any]:
    """Return an event's ids, and where its record stands."""
    return {"event_id": event_id, "event_source": source, **of_record(record)}


def of_command(command: Command, record: Incoming | None = None) -> dict[str, Any]:
    """Return a command's ids: its execution, workflow and event, and where its record stands."""
    return {
        "execution_id": command.execution_id,
        "workflow_id": command.workflow.id,
        "command_id": command.id,
        "event_id": command.event.get("id"),
        **(of_record(record) if record is not None else {}),
    }


def of_value(value: bytes | None) -> dict[str, Any]:
    """Return the ids that a record of ours to be sent holds: a slip, an execution, an event. Never raises."""
    try:
        found = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(found, dict):
        return {}
    event = found.get("event", found if "specversion" in found else None)
    workflow = found.get("workflow")
    named = {
        "execution_id": found.get("execution_id"),
        "workflow_id": found.get("workflow_id", workflow.get("id") if isinstance(workflow, dict) else None),
        "event_id": event.get("id") if isinstance(event, dict) else None,
    }
    return {name: one for name, one in named.items() if one is not None}
