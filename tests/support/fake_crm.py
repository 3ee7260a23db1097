"""A CRM in memory, held to the same contract tests as the one in Postgres."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from app.domain.errors import ActionFailedError
from app.ports import (
    AppointmentRequest,
    AssignmentRequest,
    Cause,
    CustomerUpdate,
    NoteRequest,
    TagRequest,
    TaskRequest,
)

Announced = tuple[str, str, dict[str, Any], str, str | None]


class FakeCrm:
    """Everything in memory; implements ``app.ports.Crm``.

    Attributes:
        tags: Pairs of customer id and tag.
        notes: Notes by id.
        profiles: Customers' fields by id.
        appointments: By id.
        assignees: Of conversations, by id.
        tasks: By id.
        orders_by_id: As events show them.
        asked: What was looked up: ``customers``, ``orders`` or ``customers_after``, and the ids.
        failures: Raised by the next looks instead of an answer, one each.
        announced: Each event's type, entity, data, id (None where no command asked) and causation.
    """

    def __init__(self) -> None:
        self.tags: set[tuple[str, str]] = set()
        self.notes: dict[UUID, NoteRequest] = {}
        self.profiles: dict[str, dict[str, Any]] = {}
        self.appointments: dict[UUID, AppointmentRequest] = {}
        self.assignees: dict[str, str] = {}
        self.tasks: dict[UUID, TaskRequest] = {}
        self.orders_by_id: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, list[str]]] = []
        self.failures: list[ActionFailedError] = []
        self.announced: list[Announced] = []

    async def customers(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return customers by id."""
        self._note("customers", ids)
        return {one: self._customer(one) for one in ids if one in self.profiles}

    async def customers_after(self, after: str, limit: int) -> list[dict[str, Any]]:
        """Return a page of customers."""
        self._note("customers_after", [after])
        return [self._customer(one) for one in sorted(self.profiles, key=str.encode) if one.encode() > after.encode()][
            :limit
        ]

    async def orders(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return orders by id."""
        self._note("orders", ids)
        return {one: self.orders_by_id[one] for one in ids if one in self.orders_by_id}

    async def apply_tags(self, requests: Sequence[TagRequest]) -> list[bool]:
        """Apply tags in order; True where the customer did not have the tag yet."""
        applied = []
        for request in requests:
            self._meet(request.customer_id)
            pair = (request.customer_id, request.tag)
            applied.append(pair not in self.tags)
            self.tags.add(pair)
        self._tagged("tag.applied", requests, applied)
        return applied

    async def remove_tags(self, requests: Sequence[TagRequest]) -> list[bool]:
        """Remove tags in order; True where the customer had the tag."""
        removed = []
        for request in requests:
            pair = (request.customer_id, request.tag)
            removed.append(pair in self.tags)
            self.tags.discard(pair)
        self._tagged("tag.removed", requests, removed)
        return removed

    async def create_notes(self, requests: Sequence[NoteRequest]) -> None:
        """Write notes; one that is there already is left as it is."""
        for request in requests:
            self._meet(request.customer_id)
            self.notes.setdefault(request.note_id, request)

    async def update_customers(self, requests: Sequence[CustomerUpdate]) -> list[list[str]]:
        """Change customers in order; None removes a field."""
        answers = []
        for request in requests:
            before = self.profiles.get(request.customer_id, {})
            after = {name: value for name, value in {**before, **request.changes}.items() if value is not None}
            changed = sorted(n for n in {**before, **after} if before.get(n) != after.get(n))
            self.profiles[request.customer_id] = after
            answers.append(changed)
            if changed:
                previous = {name: before.get(name) for name in changed}
                customer = self._customer(request.customer_id)
                data = {"customer": customer, "changed": changed, "previous": previous}
                self._announce("customer.updated", request.customer_id, data, request.origin)
        return answers

    async def create_appointments(self, requests: Sequence[AppointmentRequest]) -> None:
        """Make appointments; one that is there already is left as it is."""
        for request in requests:
            self._meet(request.customer_id)
            if request.appointment_id in self.appointments:
                continue
            self.appointments[request.appointment_id] = request
            appointment = {
                "id": str(request.appointment_id),
                "title": request.title,
                "starts_at": request.starts_at.isoformat(),
                "ends_at": request.ends_at.isoformat() if request.ends_at else None,
                "assignee": request.assignee,
                "status": "planned",
            }
            data = {"appointment": appointment, "customer": self._customer(request.customer_id)}
            self._announce("appointment.created", request.customer_id, data, request.origin)

    async def assign_conversations(self, requests: Sequence[AssignmentRequest]) -> list[bool]:
        """Assign conversations in order."""
        answers = []
        for request in requests:
            self._meet(request.customer_id)
            answers.append(self.assignees.get(request.conversation_id) != request.assignee)
            self.assignees[request.conversation_id] = request.assignee
        return answers

    async def create_tasks(self, requests: Sequence[TaskRequest]) -> None:
        """Make tasks; one that is there already is left as it is."""
        for request in requests:
            self._meet(request.customer_id)
            self.tasks.setdefault(request.task_id, request)

    def _tagged(self, event_type: str, requests: Sequence[TagRequest], changed: Sequence[bool]) -> None:
        for request, new in zip(requests, changed, strict=True):
            if new:
                data = {"tag": request.tag, "customer": self._customer(request.customer_id)}
                self._announce(event_type, request.customer_id, data, request.origin)

    def _note(self, what: str, ids: Sequence[str]) -> None:
        self.asked.append((what, list(ids)))
        if self.failures:
            raise self.failures.pop(0)

    def _meet(self, customer_id: str | None) -> None:
        if customer_id is not None:
            self.profiles.setdefault(customer_id, {})

    def _customer(self, customer_id: str) -> dict[str, Any]:
        tags = sorted(tag for owner, tag in self.tags if owner == customer_id)
        return {**self.profiles.get(customer_id, {}), "id": customer_id, "tags": tags}

    def _announce(self, event_type: str, entity: str, data: Mapping[str, Any], origin: Cause | None) -> None:
        causation = origin.causation if origin else None
        self.announced.append((event_type, entity, dict(data), str(uuid4()), causation))
