"""Writes executions into the log as the sink would."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

# The last noon: never to come, and hours from every midnight.
NOW = (datetime.now(UTC) - timedelta(hours=12)).replace(hour=12, minute=0, second=0, microsecond=0)
_INSERT = """
    INSERT INTO automation_logs (id, automation_id, trigger_event, conditions_met, conditions_result, actions_executed,
      status, error_message, execution_duration_ms, executed_at, attempt, version, event_id, event_type, entity)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


@dataclass
class Log:
    """Writes into the log as the sink would."""

    connection: psycopg.AsyncConnection[Any]

    async def add(self, workflow: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Write one row, whatever its day; returns what was written."""
        row = {
            "id": uuid4(),
            "event": {"specversion": "1.0", "id": "e-1", "source": "/s", "type": "order.paid", "data": {"n": 1}},
            "met": True,
            "verdicts": [],
            "results": [],
            "status": "success",
            "error": None,
            "duration": 12,
            "at": NOW,
            "attempt": 1,
            "version": 1,
            "event_id": "e-1",
            "event_type": "order.paid",
            "entity": "c-1",
            **changes,
        }
        await self.connection.execute("SELECT headrace_make_log_partition(%s)", (row["at"].astimezone(UTC).date(),))
        await self.connection.execute(
            _INSERT,
            (
                row["id"], UUID(workflow["id"]), Jsonb(row["event"]), row["met"], Jsonb(row["verdicts"]),
                Jsonb(row["results"]), row["status"], row["error"], row["duration"], row["at"], row["attempt"],
                row["version"], row["event_id"], row["event_type"], row["entity"],
            ),
        )  # fmt: skip
        return row
