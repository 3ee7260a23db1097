"""The event types a workflow can be triggered by, and where each one flows."""

import re
from typing import Final

BUSINESS_EVENT_TYPES: Final = (
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "order.created",
    "order.paid",
    "order.cancelled",
    "order.delivered",
    "conversation.created",
    "conversation.resolved",
    "message.received",
    "appointment.created",
    "appointment.completed",
    "appointment.missed",
    "commission.calculated",
    "commission.paid",
    "tag.applied",
    "tag.removed",
)
TEMPORAL_EVENT_TYPES: Final = ("temporal.daily", "temporal.weekly", "temporal.monthly")
CUSTOM_EVENT_TYPE: Final = re.compile(r"custom\.[a-z0-9_]+(?:[.-][a-z0-9_]+)*")
MAX_TYPE_CHARS: Final = 100
CUSTOM_GROUP: Final = "custom"
# Of events that systems outside send.
EVENT_GROUPS: Final = ("customer", "order", "conversation", "appointment", "commission", "tag", CUSTOM_GROUP)

_OWN: Final = "temporal."
_KNOWN: Final = frozenset(BUSINESS_EVENT_TYPES + TEMPORAL_EVENT_TYPES)


def is_event_type(value: str) -> bool:
    """Tell whether ``value`` is one of the known types or a well-formed ``custom.<name>``."""
    return value in _KNOWN or (len(value) <= MAX_TYPE_CHARS and CUSTOM_EVENT_TYPE.fullmatch(value) is not None)


def is_own_type(event_type: str) -> bool:
    """Tell whether only Headrace itself makes events of a type: those of its schedules."""
    return event_type.startswith(_OWN)


def event_group(event_type: str) -> str:
    """Return the last part of the topic that a type flows through from outside: messages belong to conversations."""
    group = event_type.partition(".")[0]
    return "conversation" if group == "message" else group
