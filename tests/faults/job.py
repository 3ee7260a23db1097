"""The job that runs while things break: three workflows over one stream of paid orders, and what must come of it."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.domain.errors import UnreachableError
from app.domain.ids import command_id, execution_id
from app.services.emitter import EventEmitter
from tests.support.api import Api

SOURCE = "/faults"
BIG_FROM = 100
MAIL_FROM = 900


def workflows(receiver_url: str) -> dict[str, dict[str, Any]]:
    """Return the drafts by name: one with effects of every kind, one with an e-mail, one that is never met."""
    hook = {"url": f"{receiver_url}/big", "body": {"entity": "{{ customer.id }}", "n": "{{ order.n }}"}}
    return {
        "big": _draft(
            BIG_FROM,
            {"type": "webhook", "order": 1, "config": hook},
            {"type": "apply_tag", "order": 2, "config": {"tag": "paid-{{ order.n }}"}},
            {"type": "create_note", "order": 3, "config": {"text": "Paid {{ order.total }}"}},
        ),
        "mail": _draft(
            MAIL_FROM,
            {"type": "send_email", "order": 1, "config": {"subject": "{{ order.n }}", "text": "Thank you"}},
            {"type": "apply_tag", "order": 2, "config": {"tag": "mailed-{{ order.n }}"}},
        ),
        "never": _draft(10**9, {"type": "stop_workflow", "order": 1, "config": {}}),
    }


def _draft(minimum: int, *actions: dict[str, Any]) -> dict[str, Any]:
    conditions = [{"field": "order.total", "operator": ">=", "value": minimum}]
    return {
        "name": f"faults {minimum}",
        "trigger": {"type": "order.paid"},
        "conditions": conditions,
        "actions": actions,
    }


@dataclass(slots=True)
class Job:
    """Events of one run, and what must come of them.

    Args:
        name: Makes the events' ids unique.
        count: How many events.
        entities: Over how many customers they spread, interleaved.
        ids: Workflow ids by name.
    """

    name: str
    count: int
    entities: int
    ids: dict[str, UUID] = field(default_factory=dict)
    emitted: int = 0

    async def prepare(self, api: Api, receiver_url: str) -> None:
        """Create and activate the workflows."""
        for name, draft in workflows(receiver_url).items():
            self.ids[name] = await api.create_workflow(draft)

    async def emit(self, emitter: EventEmitter, rate: float) -> None:
        """Emit all events in order at ``rate`` per second; waits out a broker that is away."""
        started = time.monotonic()
        while self.emitted < self.count:
            due = min(self.count, 1 + int((time.monotonic() - started) * rate))
            batch = [self.event(n) for n in range(self.emitted, max(due, self.emitted + 1))]
            try:
                await emitter.emit_many(batch)
            except UnreachableError:
                continue  # the same batch again: a repeated event is the same event
            self.emitted += len(batch)
            await asyncio.sleep(max(0.0, started + self.emitted / rate - time.monotonic()))

    def event(self, n: int) -> dict[str, Any]:
        """Return the n-th event."""
        customer = f"c{n % self.entities}"
        return {
            "specversion": "1.0",
            "id": f"{self.name}-{n}",
            "source": SOURCE,
            "type": "order.paid",
            "subject": customer,
            "time": datetime.now(UTC).isoformat(),
            "data": {
                "order": {"n": n, "total": self.total(n)},
                "customer": {"id": customer, "email": f"{customer}@example.com"},
            },
        }

    @staticmethod
    def total(n: int) -> int:
        """Return the n-th order's total: 0 to 999, evenly spread."""
        return n * 377 % 1000

    def expected(self) -> Iterator[tuple[UUID, str, int, str]]:
        """Yield each expected execution: id, workflow name, event number, status."""
        for n in range(self.count):
            for name, workflow in self.ids.items():
                met = {"big": self.total(n) >= BIG_FROM, "mail": self.total(n) >= MAIL_FROM}.get(name, False)
                execution = execution_id(workflow, SOURCE, f"{self.name}-{n}")
                yield execution, name, n, "success" if met else "skipped"

    def effects(self, workflow: str, step: int = 0) -> dict[UUID, tuple[UUID, int]]:
        """Return command id -> (execution id, event number) of one step of a workflow, where it is met."""
        return {
            command_id(execution, 1, step): (execution, n)
            for execution, name, n, status in self.expected()
            if name == workflow and status == "success"
        }
