"""The benchmark's job, written out by hand for one workflow: decode, two conditions, results, the log row. Pure.

The job: a paid order over 100 from SP, RJ or MG is posted to a webhook, then its customer is tagged. What does not meet
the conditions is not logged here (the product does): the benchmark's events all meet them.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson

from app.domain.ids import command_id, execution_id

TAG: Final = "big-order"
VERSION: Final = 1
_MINIMUM: Final = 100
_STATES: Final = ("SP", "RJ", "MG")


@dataclass(slots=True)
class Job:
    """One execution on its way from the record to the row."""

    execution_id: UUID
    webhook_id: UUID
    tag_id: UUID
    customer: str
    event: bytes
    body: bytes
    met: bool
    verdicts: list[dict[str, Any]]
    matched_at: datetime
    uncertain: bool = False
    results: list[dict[str, Any]] = field(default_factory=list)


def read_job(workflow: UUID, value: bytes, now: datetime) -> Job | None:
    """Decode a record and evaluate the conditions; None where the event's type triggers nothing."""
    event = orjson.loads(value)
    if event["type"] != "order.paid":
        return None
    data = event["data"]
    total, state = data["order"]["total"], data["customer"]["state"]
    verdicts = [
        _verdict("order.total", ">", _MINIMUM, total, met=total > _MINIMUM),
        _verdict("customer.state", "in", _STATES, state, met=state in _STATES),
    ]
    execution = execution_id(workflow, event["source"], event["id"])
    return Job(
        execution,
        command_id(execution, 1, 0),
        command_id(execution, 1, 1),
        data["customer"]["id"],
        value,
        orjson.dumps({"order": data["order"]["id"], "total": str(total), "customer": data["customer"]["id"]}),
        verdicts[0]["met"] and verdicts[1]["met"],
        verdicts,
        now,
    )


def _verdict(path: str, operator: str, expected: Any, actual: Any, *, met: bool) -> dict[str, Any]:
    reason = f"{actual} {operator} {expected}: {met}"
    return {"path": path, "operator": operator, "expected": expected, "actual": actual, "met": met, "reason": reason}


def result(step: int, action_type: str, output: dict[str, Any], started: datetime, *, ok: bool) -> dict[str, Any]:
    """Return what one step came to, in the shape the log shows."""
    now = datetime.now(UTC)
    return {
        "step": step,
        "action_type": action_type,
        "status": "success" if ok else "failed",
        "output": output,
        "attempts": 1,
        "executed_at": now,
        "duration_ms": int((now - started).total_seconds() * 1000),
    }


def log_line(workflow: UUID, job: Job, now: datetime) -> bytes:
    """Return the job's row in COPY's text format; JSON holds no raw tab or line break, so only backslashes escape."""
    status = "partial" if any(one["status"] == "failed" for one in job.results) else "success"
    fields = (
        str(job.execution_id).encode(),
        str(workflow).encode(),
        job.event.replace(b"\\", b"\\\\"),
        b"t" if job.met else b"f",
        orjson.dumps(job.verdicts).replace(b"\\", b"\\\\"),
        orjson.dumps(job.results).replace(b"\\", b"\\\\"),
        status.encode(),
        b"%d" % int((now - job.matched_at).total_seconds() * 1000),
        job.matched_at.isoformat().encode(),
    )
    return b"\t".join(fields) + b"\n"
