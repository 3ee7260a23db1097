"""The event types a workflow can be triggered by, and where each one flows.

Types are open: any dotted name is one, but for those that begin with ``temporal.``, which are Headrace's own. Each
flows through the topic of its first word where there is one (``order.refunded``: order), else through that of custom
types (``com.shop.cart.abandoned``, ``custom.signup``): so there are as many topics as there ever were, all declared.
"""

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache
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
_WORD: Final = r"[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*"
DOTTED: Final = re.compile(rf"{_WORD}(?:\.{_WORD})+")
MAX_TYPE_CHARS: Final = 100
CUSTOM_GROUP: Final = "custom"
# Of events that systems outside send.
EVENT_GROUPS: Final = ("customer", "order", "conversation", "appointment", "commission", "tag", CUSTOM_GROUP)

_OWN: Final = "temporal."
_KNOWN: Final = frozenset(BUSINESS_EVENT_TYPES + TEMPORAL_EVENT_TYPES)
_GROUP_OF: Final = {**{group: group for group in EVENT_GROUPS}, "message": "conversation"}
# order.payed is like order.paid; order.refunded, a type of its own, is like none.
_ALIKE: Final = 0.85


def is_event_type(value: str) -> bool:
    """Tell whether ``value`` is a dotted name, and of those of our own one that there is."""
    if value in _KNOWN:
        return True
    return len(value) <= MAX_TYPE_CHARS and not is_own_type(value) and DOTTED.fullmatch(value) is not None


def type_problem(value: str) -> str | None:
    """Say why a text is no event type; None where it is one."""
    if is_event_type(value):
        return None
    if is_own_type(value):
        return f"no event type: of Headrace's own there are {', '.join(TEMPORAL_EVENT_TYPES)}"
    if len(value) > MAX_TYPE_CHARS:
        return f"no event type: one has at most {MAX_TYPE_CHARS} characters, and this has {len(value)}"
    return (
        "no event type: a dotted name is one, such as order.paid or com.shop.cart.abandoned, "
        "of letters from a to z, digits, _ and -"
    )


def is_own_type(event_type: str) -> bool:
    """Tell whether only Headrace itself makes events of a type: those of its schedules, however they are spelt."""
    return event_type[: len(_OWN)].lower() == _OWN


def event_group(event_type: str) -> str:
    """Return the last part of the topic that a type flows through from outside: messages belong to conversations."""
    return _GROUP_OF.get(event_type.partition(".")[0], CUSTOM_GROUP)


def is_known_type(event_type: str) -> bool:
    """Tell whether a type is one of those that Headrace knows."""
    return event_type in _KNOWN


@lru_cache(maxsize=1024)
def resembled(event_type: str) -> str | None:
    """Return the known type that one which is not known was perhaps meant for: ``order.paid`` of ``order.payed``."""
    return None if is_known_type(event_type) else alike(event_type, _KNOWN)


def alike(event_type: str, types: Iterable[str]) -> str | None:
    """Return the one of some types that another was perhaps meant for."""
    near = difflib.get_close_matches(event_type.lower(), types, 1, _ALIKE)
    return near[0] if near else None
