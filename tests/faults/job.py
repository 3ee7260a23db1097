"""The job that runs while things break: a few workflows over one stream of events, and what must come of it."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from app.domain.errors import UnreachableError
from app.domain.ids import command_id, execution_id
from app.services.ingest.emitter import EventEmitter
from tests.faults.pace import STEADY, Pace
from tests.support.api import Api

SOURCE: Final = "/faults"
# From which total on each workflow's conditions hold; totals are 0 to 999, evenly spread.
MINIMUM: Final = {"big": 100, "wait": 800, "mail": 900, "again": 950, "never": 10**9}
TAGS: Final = {"big": "paid", "wait": "waited", "mail": "mailed", "again": "again"}
DELAY_S: Final = 3
_PAUSE_S: Final = 0.2


def workflows(
    receiver_url: str, event_type: str = "order.paid", *, refusing_url: str = "", delay_s: float = DELAY_S
) -> dict[str, dict[str, Any]]:
    """Return the drafts by name: effects of every kind, an e-mail, a wait, one that is retried, one that is never met.

    Args:
        receiver_url: Where the webhook of ``big`` goes.
        event_type: What starts them.
        refusing_url: Where that of ``again`` goes.
        delay_s: How long ``wait`` waits.
    """
    hook = {"url": f"{receiver_url}/big", "body": {"entity": "{{ customer.id }}", "n": "{{ order.n }}"}}
    mail = {"subject": "{{ order.n }}", "text": "Thank you"}
    note = {"text": "Paid {{ order.total }}"}
    return {
        "big": _draft("big", event_type, ("webhook", hook), _tag("big"), ("create_note", note)),
        "wait": _draft("wait", event_type, ("delay", {"duration": delay_s}), _tag("wait")),
        "mail": _draft("mail", event_type, ("send_email", mail), _tag("mail")),
        "again": _draft("again", event_type, ("webhook", {**hook, "url": f"{refusing_url}/again"}), _tag("again")),
        "never": _draft("never", event_type, ("stop_workflow", {})),
    }


def _tag(name: str) -> tuple[str, dict[str, Any]]:
    return "apply_tag", {"tag": f"{TAGS[name]}-{{{{ order.n }}}}"}


def _draft(name: str, event_type: str, *actions: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": f"faults {name} {event_type}",
        "trigger": {"type": event_type, "config": _TRIGGER_CONFIGS.get(event_type, {})},
        "conditions": [{"field": "order.total", "operator": ">=", "value": MINIMUM[name]}],
        "actions": [
            {"type": kind, "order": order, "config": config} for order, (kind, config) in enumerate(actions, 1)
        ],
    }


# Half a month away, so that the scheduler fires none of its own meanwhile.
_TRIGGER_CONFIGS: Final[dict[str, dict[str, Any]]] = {
    "temporal.monthly": {"at": "12:00", "day": (datetime.now(UTC).day + 13) % 28 + 1},
}


@dataclass(slots=True)
class Job:
    """Events of one run, and what must come of them.

    Args:
        name: Makes the events' ids unique.
        count: How many events.
        entities: Over how many customers they spread, interleaved; one customer's events have one type.
        names: Which of the workflows take part, for each type.
        types: Of the events; those of schedules are for the internal topic, so no emitter takes them.
        sources: The CloudEvents source of a type's events, where it is not the usual one.
        ids: Workflow ids by event type and name.
        emitted: How many events are in Kafka.
        open: More are to be emitted than ``count``, until this is no longer so; ``count`` then becomes what was.
        ended: No more are to be emitted, whatever ``count`` says; ``count`` then becomes what was.
    """

    name: str
    count: int
    entities: int
    names: tuple[str, ...] = ("big", "mail", "never")
    types: tuple[str, ...] = ("order.paid",)
    sources: Mapping[str, str] = field(default_factory=dict)
    ids: dict[str, dict[str, UUID]] = field(default_factory=dict)
    emitted: int = 0
    open: bool = False
    ended: bool = False

    async def prepare(self, api: Api, receiver_url: str, **given: Any) -> None:
        """Create and activate the workflows; ``given`` is as ``workflows`` takes it."""
        for event_type in self.types:
            drafts = workflows(receiver_url, event_type, **given)
            self.ids[event_type] = {name: await api.create_workflow(drafts[name]) for name in self.names}

    async def emit(self, emitter: EventEmitter, rate: float, pace: Pace = STEADY) -> None:
        """Emit all events in order at ``rate`` per second; waits out a broker that is away."""
        started = time.monotonic()
        while (self.emitted < self.count or self.open) and not self.ended:
            due = 1 + int(pace.flowed(time.monotonic() - started) * rate)
            due = due if self.open else min(self.count, due)
            batch = [self.event(n) for n in range(self.emitted, max(due, self.emitted + 1))]
            await _send(emitter, batch)
            self.emitted += len(batch)
            await asyncio.sleep(max(0.0, started + pace.elapsed(self.emitted / rate) - time.monotonic()))
        self.count = self.emitted

    def event_type(self, n: int) -> str:
        """Return the n-th event's type."""
        return self.types[n % self.entities % len(self.types)]

    def source(self, n: int) -> str:
        """Return the n-th event's source."""
        return self.sources.get(self.event_type(n), SOURCE)

    def event(self, n: int) -> dict[str, Any]:
        """Return the n-th event."""
        customer = f"c{n % self.entities}"
        return {
            "specversion": "1.0",
            "id": f"{self.name}-{n}",
            "source": self.source(n),
            "type": self.event_type(n),
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
            for name, workflow in self.ids[self.event_type(n)].items():
                execution = execution_id(workflow, self.source(n), f"{self.name}-{n}")
                yield execution, name, n, "success" if self.total(n) >= MINIMUM[name] else "skipped"

    def effects(self, workflow: str, step: int = 0) -> dict[UUID, tuple[UUID, int]]:
        """Return command id -> (execution id, event number) of one step of a workflow, where it is met."""
        return {
            command_id(execution, 1, step): (execution, n)
            for execution, name, n, status in self.expected()
            if name == workflow and status == "success"
        }

    def tags(self) -> set[str]:
        """Return the tags that must be on, each its event's own."""
        return {f"{TAGS[name]}-{n}" for name in self.names if name in TAGS for _, n in self.effects(name).values()}


async def _send(emitter: EventEmitter, batch: list[dict[str, Any]]) -> None:
    """Send a batch, whatever ends meanwhile: some of it may be in Kafka already. A repeated event is the same event."""
    while True:
        try:
            await emitter.emit_many(batch)
        except UnreachableError:
            await asyncio.sleep(_PAUSE_S)  # others have to get on meanwhile
        else:
            return
