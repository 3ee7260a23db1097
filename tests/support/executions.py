"""Finished executions for tests, as Kafka carries them, and the user and workflow that they belong to."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
import psycopg

OWNER: Final = UUID("00000000-0000-4000-8000-0000000000aa")
WORKFLOW: Final = UUID("00000000-0000-4000-8000-0000000000bb")
EVENT: Final[dict[str, Any]] = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/shop",
    "type": "order.paid",
    "data": {"order": {"total": "199.00", "note": 'tab\t "quoted" back\\slash {brace}, ünïcode 😀'}},
}


def add_workflow(database_url: str, workflow_id: UUID = WORKFLOW) -> None:
    """Store the owner and the workflow that :func:`execution` names, or another one of that owner."""
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO auth.users (id) VALUES (%s) ON CONFLICT DO NOTHING", (OWNER,))
        connection.execute(
            "INSERT INTO automations (id, name, trigger_type, created_by) VALUES (%s, 'Big orders', 'order.paid', %s)",
            (workflow_id, OWNER),
        )


def execution(**changes: Any) -> dict[str, Any]:
    """Return a finished execution of its own id; ``changes`` replace fields."""
    result = {"step": 0, "action_type": "webhook", "status": "success", "output": {"status": 200}, "attempts": 1}
    fields = {
        "v": 1,
        "execution_id": str(uuid4()),
        "attempt": 1,
        "workflow_id": str(WORKFLOW),
        "version": 1,
        "entity": "customer-1",
        "event": EVENT,
        "conditions_met": True,
        "verdicts": [{"path": "conditions[0]", "operator": ">", "met": True}],
        "results": [{**result, "executed_at": "2026-03-01T12:00:00Z", "duration_ms": 12, "verdicts": []}],
        "status": "success",
        "error": None,
        "executed_at": datetime.now(UTC).isoformat(),
        "duration_ms": 40,
    }
    return fields | changes


def document(**changes: Any) -> str:
    """Return :func:`execution` as JSON."""
    return orjson.dumps(execution(**changes)).decode()
