"""What can be chosen in the editor: the event types that start a workflow, in groups, and what customers have."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from app.admin.pages.triggers import event_in_words
from app.services.ingest.event_samples import SAMPLE_TYPES, sample_event

_GROUPS: Final[Mapping[str, str]] = {
    "customer": "Customers",
    "tag": "Customers",
    "order": "Orders",
    "conversation": "Conversations",
    "message": "Conversations",
    "appointment": "Appointments",
    "commission": "Partners",
    "temporal": "By the calendar",
}
_OWN: Final = "Events of your own"
_MOST_SEEN: Final = 50
_ABOUT: Final[Mapping[str, str]] = {
    "customer.created": "Somebody is a customer for the first time.",
    "customer.updated": "Something about a customer is different: the e-mail, the plan, any field.",
    "customer.deleted": "A customer is taken out of the CRM.",
    "tag.applied": "A customer gets a tag, any or a certain one.",
    "tag.removed": "A customer loses a tag, any or a certain one.",
    "order.created": "A customer has ordered, and has not paid yet.",
    "order.paid": "The payment for an order has come in.",
    "order.cancelled": "An order will not be delivered.",
    "order.delivered": "An order has arrived at the customer.",
    "conversation.created": "A customer begins to talk with you.",
    "conversation.resolved": "What a conversation was about is settled.",
    "message.received": "A customer has written in a conversation.",
    "appointment.created": "A customer has an appointment.",
    "appointment.completed": "An appointment took place.",
    "appointment.missed": "A customer did not come to an appointment.",
    "commission.calculated": "A partner has earned a commission.",
    "commission.paid": "A partner's commission was paid out.",
    "temporal.daily": "At a time of the day, once or for each customer who fits.",
    "temporal.weekly": "On days of the week, once or for each customer who fits.",
    "temporal.monthly": "On a day of the month, once or for each customer who fits.",
}
# Profiles hold what a business puts into them; these are what the built-in CRM begins with.
_CUSTOMER: Final[Mapping[str, tuple[str, Any]]] = {
    "customer.id": ("text", "c-1001"),
    "customer.name": ("text", "Ana Lima"),
    "customer.email": ("text", "ana@example.com"),
    "customer.phone": ("text", "+5511999990000"),
    "customer.state": ("text", "SP"),
    "customer.tags": ("list", "VIP"),
    "customer.ltv": ("number", "1250.00"),
}


def event_types(seen: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the types that a workflow can be started by: those that are known, then those that were seen lately."""
    known = [one for one in SAMPLE_TYPES if one in _ABOUT]
    for name in sorted(known, key=lambda one: list(_GROUPS).index(one.partition(".")[0])):
        group = _GROUPS[name.partition(".")[0]]
        sample = None if group == "By the calendar" else {"data": sample_event(name)["data"]}
        yield _choice(name, group, _ABOUT[name], sample)
    others = sorted(one for one in seen if one not in _ABOUT)
    for name in others[:_MOST_SEEN]:
        yield _choice(name, _OWN, "Seen lately, sent by a system of yours.", None)


def _choice(name: str, group: str, about: str, sample: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"type": name, "group": group, "title": event_in_words(name), "description": about, "sample": sample}


def customer_fields() -> list[dict[str, Any]]:
    """Return what conditions of an audience can ask of customers."""
    return [
        {"path": path, "type": kind, "example": example, "values": []} for path, (kind, example) in _CUSTOMER.items()
    ]
