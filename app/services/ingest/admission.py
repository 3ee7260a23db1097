"""Whether an event may be on the topic that it was read from.

The broker holds who may write which topic (docs/kafka.md). That is a boundary only where the topic says what can
be in it: so a topic of others holds events of its own group, none of Headrace's, and what is elsewhere is refused.
"""

from app.domain.errors import PoisonError
from app.domain.evaluate import Trigger
from app.topics import Topics
from schemas.event import Event
from schemas.event_types import EVENT_GROUPS, event_group
from schemas.incoming import IncomingEvent
from schemas.reserved import check_from_outside

REASONS = frozenset({"reserved", "wrong_topic"})


class Admission:
    """Checks events against their topics.

    Args:
        topics: Names of the topics.
    """

    def __init__(self, topics: Topics) -> None:
        self._internal = topics.internal_events
        self._topic_of = dict(zip(EVENT_GROUPS, topics.outside_events(), strict=True))  # asked for each event

    def check(self, event: Event, topic: str) -> None:
        """Check one event.

        Raises:
            PoisonError: ``reserved``, naming what of it is Headrace's own; or ``wrong_topic``, naming the topic that
                its type belongs on.
        """
        if topic == self._internal:
            return
        check_from_outside(event)
        belongs = self._topic_of[event_group(event.type)]
        if topic != belongs:
            raise PoisonError("wrong_topic", f"type: {event.type} belongs on {belongs}")


def trigger_of(incoming: IncomingEvent) -> Trigger:
    """Return an event that was admitted as workflows judge it."""
    event = incoming.event
    return Trigger(
        event.type,
        event.source,
        event.id,
        incoming.raw,
        event.data,
        incoming.entity,
        event.causation,
        event.workflowid,
    )
