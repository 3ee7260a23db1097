"""What is told of event types: those that are known, those that were seen, and what events of them hold."""

from datetime import datetime
from typing import Any

from pydantic import Field

from schemas.base import Contract
from schemas.event import Event


class FieldView(Contract):
    """A field of the events of a type, below ``data``.

    Attributes:
        path: As conditions name it, with ``0`` for any element of an array; ``*`` stands for any key of a map.
        types: What JSON calls its types, without null.
        present: The share of the looked-at events that have it.
        nullable: Whether it is null at times.
        format: ``date-time`` or ``decimal``, where each of its texts was such.
        examples: Some of its values; for who may ``crm:read``.
    """

    path: str
    types: list[str]
    present: float = Field(ge=0, le=1)
    nullable: bool
    format: str | None = None
    examples: list[Any] = Field(default_factory=list)


class SeenSample(Contract):
    """An event that really came.

    Attributes:
        trimmed: Whether long texts, arrays and objects of it are cut short.
    """

    received_at: datetime | None = None
    trimmed: bool
    event: dict[str, Any]


class SeenView(Contract):
    """What was seen of a type.

    Attributes:
        last_seen: When the newest event of it came into Kafka.
        count: How many of the looked-at events are of it; 0: none of the newest, but earlier ones were seen.
        fields_left_out: How many more fields there are than are shown.
        samples: Newest first; for who may ``crm:read``.
    """

    last_seen: datetime | None = None
    count: int
    fields: list[FieldView]
    fields_left_out: int = 0
    samples: list[SeenSample] = Field(default_factory=list)


class EventTypeView(Contract):
    """An event type, and the topic it flows through.

    Attributes:
        known: Whether Headrace knows it; any other dotted name is a type too.
        sample: An event of a known type, made up, that can be posted as it is.
        seen: What came of it lately; left out where nothing did.
    """

    type: str
    topic: str
    known: bool
    sample: Event | None = None
    seen: SeenView | None = None


class LookView(Contract):
    """The look at the newest events of the topics that ``seen`` comes from; one serves all callers for a while.

    Attributes:
        at: When; left out where none has ended yet.
        events: How many it took in: those that matchers take, without runs by hand.
        complete: Whether all of the tail was read that is looked at; False: bounds of time or bytes were reached.
        types_left_out: How many types were seen beyond those that are listed.
        problem: Why there is nothing newer.
    """

    at: datetime | None = None
    events: int
    complete: bool
    types_left_out: int = 0
    problem: str | None = None


class EventTypeList(Contract):
    """The known event types, then the others that were seen; any dotted name of one's own is one."""

    items: list[EventTypeView]
    look: LookView
