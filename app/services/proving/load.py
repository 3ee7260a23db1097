"""The load of ``headrace prove``: its workflows, its events, and which executions must come of them.

All of it follows from the run's name and an event's number, so that the recount needs nothing that was sent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from app.domain.ids import command_id, execution_id

# What every name of a workflow, customer and event type of ours begins with; nothing else is ever removed.
MARK: Final = "headrace-prove"
SOURCE: Final = "/prove"
FIRST: Final = "first"
HOOK: Final = "hook"
OWN: Final = "own"
WAIT: Final = "wait"
DELAY_S: Final = 2
_OF_TEN: Final = {OWN: 0, WAIT: 5}
_TEN: Final = 10
# Customers at most whose removal by somebody else is noticed: each takes a request.
_MOST_WITNESSES: Final = 50
# Half of what one entity may run a workflow in an hour (HEADRACE_RUN_BUDGET), and enough to run side by side.
_EVENTS_AN_ENTITY: Final = 500
_LEAST_ENTITIES: Final = 20


def entities_for(events: int) -> int:
    """Return over how many customers some events spread."""
    return max(_LEAST_ENTITIES, -(-events // _EVENTS_AN_ENTITY))


@dataclass(frozen=True, slots=True)
class Expected:
    """An execution that must be in the log.

    Attributes:
        number: Its event's.
        workflow: The name that it has here.
        status: As the log must have it.
    """

    number: int
    workflow: str
    status: str


@dataclass(slots=True)
class Load:
    """The events of one run.

    Args:
        run: Its name, which makes ids and the event type unique.
        entities: Over how many customers the events spread, interleaved.
        crm: Whether tags and notes are among the effects.
        ids: Workflow ids by the names that they have here.
    """

    run: str
    entities: int
    crm: bool
    ids: dict[str, UUID] = field(default_factory=dict)

    @property
    def event_type(self) -> str:
        """What the workflows wait for: nobody else's do, and it flows through the topic of custom events."""
        return f"custom.{MARK}-{self.run}"

    @property
    def customers(self) -> str:
        """What the ids of its customers begin with."""
        return f"{MARK}-{self.run}-"

    @property
    def witness(self) -> str:
        """The tag that a run puts on customers itself: who has it no more was removed meanwhile."""
        return f"{self.run}-witness"

    def witnesses(self, events: int) -> list[str]:
        """Return customers that have tags and notes once some events are sent, fifty at most, spread over all."""
        if not self.crm:
            return []
        turns = range(min(events, self.entities * _TEN))
        own = list(dict.fromkeys(self.entity(number) for number in turns if met(number)[OWN]))
        return own[:: -(-len(own) // _MOST_WITNESSES)]

    @property
    def names(self) -> tuple[str, ...]:
        """The workflows."""
        return (HOOK, OWN, WAIT) if self.crm else (HOOK, WAIT)

    def drafts(self, receiver_url: str, marked: str) -> dict[str, dict[str, Any]]:
        """Return what the workflows say; ``marked`` is their description, which tells whose they are."""
        body = {"entity": "{{ customer.id }}", "n": "{{ prove.n }}"}
        steps: dict[str, list[tuple[str, dict[str, Any]]]] = {
            HOOK: [("webhook", {"url": f"{receiver_url}/{HOOK}", "body": body})],
            OWN: [
                ("apply_tag", {"tag": f"{self.run}-{{{{ prove.n }}}}"}),
                ("create_note", {"text": f"{self.run}-{{{{ prove.n }}}}"}),
            ],
            WAIT: [
                ("delay", {"duration": DELAY_S}),
                ("webhook", {"url": f"{receiver_url}/{WAIT}", "body": body}),
            ],
        }
        return {name: self._draft(name, steps[name], marked) for name in self.names}

    def _draft(self, name: str, steps: list[tuple[str, dict[str, Any]]], marked: str) -> dict[str, Any]:
        conditions = [] if name == HOOK else [{"field": f"prove.{name}", "operator": "==", "value": True}]
        return {
            "name": self.called(name),
            "description": marked,
            "trigger": {"type": self.event_type},
            "conditions": conditions,
            "actions": [
                {"type": kind, "order": order, "config": config} for order, (kind, config) in enumerate(steps, 1)
            ],
        }

    def called(self, name: str) -> str:
        """Return what a workflow is called in the installation."""
        return f"{MARK} {self.run}: {name}"

    def event_id(self, number: int) -> str:
        """Return the id of an event; those before the load, which try the way, have negative numbers."""
        return f"{self.run}-{number}"

    def entity(self, number: int) -> str:
        """Return whom an event is about."""
        return f"{self.customers}{number % self.entities if number >= 0 else FIRST}"

    def event(self, number: int, at: datetime) -> dict[str, Any]:
        """Return an event as it is sent."""
        return {
            "specversion": "1.0",
            "id": self.event_id(number),
            "source": SOURCE,
            "type": self.event_type,
            "subject": self.entity(number),
            "time": at.astimezone(UTC).isoformat(),
            "data": {"customer": {"id": self.entity(number)}, "prove": {"n": number, **met(number)}},
        }

    def expected(self, numbers: range) -> Iterator[tuple[UUID, Expected]]:
        """Yield the executions of some events, by their ids."""
        for number in numbers:
            holds = met(number)
            for name in self.names:
                execution = execution_id(self.ids[name], SOURCE, self.event_id(number))
                yield execution, Expected(number, name, "success" if holds.get(name, True) else "skipped")

    def effects(self, numbers: range) -> Iterator[tuple[UUID, UUID, Expected]]:
        """Yield the webhooks of some events: idempotency key, execution, and what it belongs to."""
        for execution, expected in self.expected(numbers):
            if expected.status == "success" and expected.workflow != OWN:
                yield command_id(execution, 1, WEBHOOK_STEPS[expected.workflow]), execution, expected

    def own(self, numbers: range) -> dict[str, str]:
        """Return what the CRM must hold, a tag and a note of each text, with whose it is."""
        if not self.crm:
            return {}
        return {f"{self.run}-{number}": self.entity(number) for number in numbers if met(number)[OWN]}


# Which of a workflow's steps is its webhook.
WEBHOOK_STEPS: Final[Mapping[str, int]] = {HOOK: 0, WAIT: 1}


def met(number: int) -> dict[str, bool]:
    """Return which workflows with conditions an event meets; those that try the way need not wait."""
    if number < 0:
        return {OWN: True, WAIT: False}
    return {name: number % _TEN == place for name, place in _OF_TEN.items()}
