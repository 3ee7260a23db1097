"""What the reference systems show: what is in their events, and what their routes answer."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class _Page(BaseModel):
    next_cursor: str | None


class Customer(BaseModel):
    """A customer, with the fields of the profile."""

    model_config = ConfigDict(extra="allow")

    id: str
    tags: list[str]


class CustomerPage(BaseModel):
    """Customers by id; the next page is that ``after`` the last one's id."""

    items: list[Customer]


class Updated(BaseModel):
    """A customer after a change, and the names of the fields that it changed."""

    changed: list[str]
    customer: Customer


class Applied(BaseModel):
    """Whether the customer did not have the tag before."""

    tag: str
    applied: bool


class Removed(BaseModel):
    """Whether the customer had the tag before."""

    tag: str
    removed: bool


class Note(BaseModel):
    """A note."""

    id: UUID
    customer_id: str
    text: str
    created_at: datetime


class Task(BaseModel):
    """A task."""

    id: UUID
    customer_id: str | None
    title: str
    description: str
    assignee: str | None
    due_at: datetime | None
    status: Literal["open", "done"]
    created_at: datetime
    done_at: datetime | None


class Appointment(BaseModel):
    """An appointment."""

    id: UUID
    customer_id: str
    title: str
    starts_at: datetime
    ends_at: datetime | None
    assignee: str | None
    status: Literal["planned", "completed", "missed"]
    created_at: datetime


class Conversation(BaseModel):
    """A conversation."""

    id: str
    customer_id: str | None
    subject: str | None
    channel: str | None
    assignee: str | None
    status: Literal["open", "resolved"]
    created_at: datetime
    resolved_at: datetime | None


class Assigned(BaseModel):
    """A conversation, and whether it had another assignee before."""

    assigned: bool
    conversation: Conversation


class Message(BaseModel):
    """What a customer wrote."""

    id: UUID
    conversation_id: str
    customer_id: str | None
    text: str
    channel: str | None
    score: int | None
    received_at: datetime


class Order(BaseModel):
    """An order; money is text, exact."""

    id: str
    customer_id: str
    affiliate_id: str | None
    status: Literal["created", "paid", "cancelled", "delivered"]
    total: str
    currency: str
    items: list[dict[str, Any]]
    created_at: datetime
    paid_at: datetime | None
    cancelled_at: datetime | None
    delivered_at: datetime | None


class Partner(BaseModel):
    """A partner; ``rate`` in per cent."""

    id: str
    rate: str
    created_at: datetime


class Commission(BaseModel):
    """A commission; ``rate`` in per cent."""

    id: UUID
    order_id: str
    affiliate_id: str
    rate: str
    amount: str
    currency: str
    status: Literal["calculated", "paid"]
    created_at: datetime
    paid_at: datetime | None


class NotePage(_Page):
    """Notes, newest first."""

    items: list[Note]


class TaskPage(_Page):
    """Tasks, newest first."""

    items: list[Task]


class AppointmentPage(_Page):
    """Appointments, newest first."""

    items: list[Appointment]


class ConversationPage(_Page):
    """Conversations, newest first."""

    items: list[Conversation]


class MessagePage(_Page):
    """Messages, newest first."""

    items: list[Message]


class OrderPage(_Page):
    """Orders, newest first."""

    items: list[Order]


class PartnerPage(_Page):
    """Partners, newest first."""

    items: list[Partner]


class CommissionPage(_Page):
    """Commissions, newest first."""

    items: list[Commission]
