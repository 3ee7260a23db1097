"""A sample event of every type: what the API shows, and what a first event can be copied from."""

from typing import Any, Final

from schemas.event_types import BUSINESS_EVENT_TYPES, TEMPORAL_EVENT_TYPES

_CUSTOMER: Final = {
    "id": "c-1001",
    "name": "Ana Lima",
    "email": "ana@example.com",
    "state": "SP",
    "tags": ["newsletter"],
    "ltv": "1250.00",
}
_ORDER: Final = {
    "id": "o-5001",
    "total": "199.00",
    "status": "created",
    "items": [{"sku": "kettle-17", "category": "kitchen", "price": "149.00", "quantity": 1}],
    "placed_at": "2026-03-01T09:30:00Z",
}
_CONVERSATION: Final = {"id": "v-301", "channel": "chat", "assignee": None, "subject": "Where is my parcel?"}
_APPOINTMENT: Final = {"id": "a-77", "starts_at": "2026-03-04T14:00:00Z", "with": "Dr. Reis", "place": "Room 2"}
_COMMISSION: Final = {"id": "m-12", "affiliate_id": "f-9", "amount": "19.90", "order_id": "o-5001"}
_RUN: Final = {"due_at": "2026-03-01T09:00:00-03:00", "timezone": "America/Sao_Paulo"}

_PARTS: Final[dict[str, dict[str, Any]]] = {
    "customer": {"customer": _CUSTOMER},
    "order": {"customer": _CUSTOMER, "order": _ORDER},
    "conversation": {"customer": _CUSTOMER, "conversation": _CONVERSATION},
    "message": {
        "customer": _CUSTOMER,
        "conversation": _CONVERSATION,
        "message": {"id": "g-1", "text": "Hello, where is my parcel?", "direction": "in"},
    },
    "appointment": {"customer": _CUSTOMER, "appointment": _APPOINTMENT},
    "commission": {"customer": {"id": "f-9", "name": "Rui Alves"}, "commission": _COMMISSION},
    "tag": {"customer": _CUSTOMER, "tag": "newsletter"},
    "temporal": {"run": _RUN},
    "custom": {"customer": _CUSTOMER, "points": 120},
}
CUSTOM_SAMPLE_TYPE: Final = "custom.loyalty.points_earned"
SAMPLE_TYPES: Final = (*BUSINESS_EVENT_TYPES, *TEMPORAL_EVENT_TYPES, CUSTOM_SAMPLE_TYPE)


def sample_event(event_type: str) -> dict[str, Any]:
    """Return a complete event of a type, as it could be posted; of ``temporal.*``, as schedules make it.

    Raises:
        KeyError: There is no such type.
    """
    group, _, happened = event_type.partition(".")
    data = dict(_PARTS[group])
    if group == "order":
        data["order"] = {**_ORDER, "status": happened}
    customer = data.get("customer", {})
    return {
        "specversion": "1.0",
        "id": f"sample-{event_type}",
        "source": "/samples",
        "type": event_type,
        "subject": customer.get("id", "schedule"),
        "time": "2026-03-01T09:30:00Z",
        "datacontenttype": "application/json",
        "data": data,
    }
