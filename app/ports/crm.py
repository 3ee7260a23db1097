"""The CRM that actions work on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from app.domain.causation import Link, extend_chain

SOURCE: Final = "/headrace/crm"


class Cause(Protocol):
    """What asked for a change, as the change's event tells it."""

    @property
    def causation(self) -> str | None:
        """The chain that the event carries on; None where the event starts one."""


@dataclass(frozen=True, slots=True)
class HandedOn:
    """A change that another system asks for: its events are new, and carry on the chain that it has handed over."""

    causation: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Which command asks for a change: what the change's event says of where it comes from.

    Attributes:
        command_id: The same on every copy of the command.
        link: The execution that the command belongs to.
        chain: ``causation`` of the event that started the execution.
    """

    command_id: UUID
    link: Link
    chain: str | None

    @property
    def causation(self) -> str:
        """The chain that the change's event carries."""
        return extend_chain(self.chain, self.link)


@dataclass(frozen=True, slots=True)
class TagRequest:
    """Put a tag on a customer, or take it off."""

    customer_id: str
    tag: str
    origin: Cause | None = None


@dataclass(frozen=True, slots=True)
class NoteRequest:
    """Write a note on a customer. ``note_id`` is the command id: one command, one note."""

    note_id: UUID
    customer_id: str
    text: str


@dataclass(frozen=True, slots=True)
class CustomerUpdate:
    """Change fields of a customer; a field that becomes None goes. A customer that is not known yet is made."""

    customer_id: str
    changes: Mapping[str, Any]
    origin: Cause | None = None


@dataclass(frozen=True, slots=True)
class AppointmentRequest:
    """Make an appointment. ``appointment_id`` is the command id: one command, one appointment."""

    appointment_id: UUID
    customer_id: str
    title: str
    starts_at: datetime
    ends_at: datetime | None
    assignee: str | None
    origin: Cause | None = None


@dataclass(frozen=True, slots=True)
class AssignmentRequest:
    """Give a conversation to an assignee; one that is not known yet is made."""

    conversation_id: str
    customer_id: str | None
    assignee: str


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """Make a task. ``task_id`` is the command id: one command, one task."""

    task_id: UUID
    customer_id: str | None
    title: str
    description: str
    assignee: str | None
    due_at: datetime | None


class CrmReads(Protocol):
    """What can be looked up in the CRM and in Sales, as it is now.

    A customer is ``{id, tags, ...}``, as its events show it; an order ``{id, customer_id, status, total, ...}``.
    Everyone whom a change has named is a customer, if only by a tag, an appointment or an order.
    """

    async def customers(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return customers by id; those that are not known are left out."""

    async def customers_after(self, after: str, limit: int) -> list[dict[str, Any]]:
        """The first customers whose ids come after one, by id in the order of its bytes; "" begins."""

    async def orders(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Orders by id; what is not known is left out."""


class Crm(CrmReads, Protocol):
    """The CRM: the built-in reference system, or the user's own.

    Methods take many requests, so that one statement can serve a batch; answers come in the same order, as if the
    requests had been made one after the other. A change that has an event type announces itself with that event, in the
    same transaction; what changes nothing announces nothing. A customer whom a change names for the first time is
    entered without an event: they are new to the CRM, not to the business.
    """

    async def apply_tags(self, requests: Sequence[TagRequest]) -> list[bool]:
        """Apply tags; True where the customer did not have the tag yet (``tag.applied``)."""

    async def remove_tags(self, requests: Sequence[TagRequest]) -> list[bool]:
        """Remove tags; True where the customer had the tag (``tag.removed``)."""

    async def create_notes(self, requests: Sequence[NoteRequest]) -> None:
        """Write notes."""

    async def update_customers(self, requests: Sequence[CustomerUpdate]) -> list[list[str]]:
        """Change customers; the names of the fields that changed, sorted (``customer.updated``)."""

    async def create_appointments(self, requests: Sequence[AppointmentRequest]) -> None:
        """Make appointments (``appointment.created``)."""

    async def assign_conversations(self, requests: Sequence[AssignmentRequest]) -> list[bool]:
        """Assign conversations; False where the same person had it already."""

    async def create_tasks(self, requests: Sequence[TaskRequest]) -> None:
        """Make tasks."""
