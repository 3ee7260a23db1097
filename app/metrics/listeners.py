"""What services beside Headrace count that handle events by its library."""

from typing import Final

from app.metrics.families import Families

FAMILIES: Final = Families("services that handle events by the library")

EVENTS: Final = FAMILIES.counter(
    "headrace_subscriber_events_total",
    "Events read for handlers, by what became of them",
    outcome=("dead_letter", "handled", "handler_gone", "no_handler", "reserved", "unreadable", "wrong_topic"),
)
