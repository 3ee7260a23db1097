"""Audiences that are refused: their owner may not read customers (any more). The log has a row that says so."""

from datetime import datetime
from typing import Final
from uuid import UUID

import orjson

from app.domain.ids import execution_id
from app.domain.needs import Need
from app.ports import Record
from app.ports.temporal import Owned
from app.topics import Topics
from schemas.base import encode
from schemas.execution import Execution

_AUDIENCE: Final = Need("crm:read", "trigger.config.audience", "looks at all customers")


def refused(owned: Owned | None, everybodys: frozenset[str]) -> bool:
    """Tell whether an audience is refused; of a workflow that is gone it ends by itself."""
    if owned is None:
        return False
    return not (owned.owner.may(_AUDIENCE.permission) or _AUDIENCE.permission in everybodys)


def refusal_row(topics: Topics, workflow_id: UUID, owned: Owned, run: Record, due: datetime) -> Record:
    """Return the log's row of a run that was refused.

    Args:
        topics: Names of the topics.
        workflow_id: The workflow's id.
        owned: The workflow, with its owner.
        run: The event that a run without an audience would have.
        due: When it was due.
    """
    event = orjson.loads(run.value or b"{}")
    row = Execution(
        execution_id=execution_id(workflow_id, event["source"], event["id"]),
        attempt=0,
        workflow_id=workflow_id,
        version=owned.version,
        entity=str(workflow_id),
        event=event,
        conditions_met=False,
        status="blocked",
        error=_AUDIENCE.lacking,
        executed_at=due,
    )
    return Record(topics.executions, str(workflow_id).encode(), encode(row))
