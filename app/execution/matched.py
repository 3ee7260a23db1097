"""What follows from one event, while the matcher judges its workflows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.evaluate import Plan
from app.domain.reentry import Reentry
from app.ports import Entry
from app.ports.active_workflows import ActiveWorkflow
from schemas.incoming import Incoming


@dataclass(frozen=True, slots=True)
class Matched:
    """What everything that follows from one event has in common.

    Attributes:
        common: Fields of its slips and rows; the envelope goes in byte by byte.
        at: When the event came into Kafka.
        now: When it was matched.
        record: The event's record.
    """

    entity: str
    key: bytes
    common: dict[str, Any]
    at: datetime
    now: datetime
    record: Incoming


@dataclass(frozen=True, slots=True)
class Asking:
    """A plan that the entries decide about.

    Attributes:
        who: What its entry is counted by.
    """

    made: Plan[ActiveWorkflow]
    reentry: Reentry
    matched: Matched
    who: str

    @property
    def entry(self) -> Entry:
        """What is asked of them."""
        made, reentry = self.made, self.reentry
        at = self.matched.at
        return Entry(made.workflow.id, self.who, made.execution_id, at, reentry.window, reentry.counted_by)
