"""What starts a workflow, in words: ``When an order is paid``, ``Every Monday at 09:00 (UTC)``.

It takes a workflow's trigger and a draft's, which may be unfinished: what is missing or of a wrong shape is left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.domain.whole_numbers import whole
from schemas.workflow import Trigger

_HAPPENS: Final[Mapping[str, str]] = {
    "customer.created": "a customer is created",
    "customer.updated": "a customer is changed",
    "customer.deleted": "a customer is deleted",
    "order.created": "an order is placed",
    "order.paid": "an order is paid",
    "order.cancelled": "an order is cancelled",
    "order.delivered": "an order is delivered",
    "conversation.created": "a conversation begins",
    "conversation.resolved": "a conversation is resolved",
    "message.received": "a message is received",
    "appointment.created": "an appointment is made",
    "appointment.completed": "an appointment is completed",
    "appointment.missed": "an appointment is missed",
    "commission.calculated": "a commission is calculated",
    "commission.paid": "a commission is paid",
    "tag.applied": "a tag is applied",
    "tag.removed": "a tag is removed",
}
_SCHEDULES: Final[Mapping[str, str]] = {
    "temporal.daily": "every day",
    "temporal.weekly": "every week",
    "temporal.monthly": "every month",
}
_DAYS: Final[Mapping[str, str]] = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
_ORDINALS: Final[Mapping[int, str]] = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
_NONE: Final = "No trigger yet"


def event_in_words(event_type: str) -> str:
    """Say what an event of a type tells of: ``An order is paid``; of a type that is not known, its name."""
    said = _HAPPENS.get(event_type) or _SCHEDULES.get(event_type) or f"“{event_type}” happens"
    return said[:1].upper() + said[1:]


def trigger_in_words(trigger: Trigger | Mapping[str, Any] | None) -> str:
    """Say what starts a workflow, with what its trigger asks for."""
    event_type, config = _parts(trigger)
    if not event_type:
        return _NONE
    if event_type in _SCHEDULES:
        return f"{_when(event_type, config)}{_at(config)}{_audience(config)}"
    return f"When {_happening(event_type, config)}"


def _parts(trigger: Trigger | Mapping[str, Any] | None) -> tuple[str, Mapping[str, Any]]:
    if isinstance(trigger, Trigger):
        return trigger.type, trigger.config
    found = trigger if isinstance(trigger, Mapping) else {}
    event_type, config = found.get("type"), found.get("config")
    return event_type if isinstance(event_type, str) else "", config if isinstance(config, Mapping) else {}


def _happening(event_type: str, config: Mapping[str, Any]) -> str:
    tag, fields = config.get("tag"), config.get("fields")
    if event_type in {"tag.applied", "tag.removed"} and tag:
        return f"the tag “{tag}” is {event_type.partition('.')[2]}"
    if event_type == "customer.updated" and isinstance(fields, list) and fields:
        return f"{_listed([str(one).replace('_', ' ') for one in fields], 'or')} of a customer is changed"
    return _HAPPENS.get(event_type) or f"“{event_type}” happens"


def _when(event_type: str, config: Mapping[str, Any]) -> str:
    days, day = config.get("days"), whole(config.get("day"))
    if event_type == "temporal.weekly" and isinstance(days, list) and days:
        return f"Every {_listed([name for key, name in _DAYS.items() if key in days] or ['week'], 'and')}"
    if event_type == "temporal.monthly" and isinstance(day, int):
        return f"On the {day}{_ORDINALS.get(day, 'th')} of every month"
    return event_in_words(event_type)


def _at(config: Mapping[str, Any]) -> str:
    if not isinstance(config.get("at"), str):
        return ""
    return f" at {config['at']} ({str(config.get('timezone') or 'UTC').replace('_', ' ')})"


def _audience(config: Mapping[str, Any]) -> str:
    conditions = config.get("audience")
    if not isinstance(conditions, list):
        return ""
    count = len(conditions)
    if not count:
        return ", for each customer"
    return f", for each customer who meets {count} condition{'' if count == 1 else 's'}"


def _listed(names: Sequence[str], joined: str) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {joined} {names[-1]}"
