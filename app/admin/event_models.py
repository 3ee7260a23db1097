"""Queries of the operations that show events."""

from typing import Annotated

from pydantic import Field

from app.admin.cursors import MARK_CHARS
from app.admin.queries import Query, Text
from app.services.operations.event_cursor import MAX_CHARS
from schemas.moments import Moment


class RecentEventsQuery(Query):
    """Which of the newest events to show."""

    type: Annotated[str | None, Field(min_length=1, max_length=100)] = None
    entity: Annotated[str | None, Field(min_length=1, max_length=512)] = None
    limit: Annotated[int, Field(ge=1, le=100, description="How many")] = 20


class EventLookupQuery(Query):
    """Which event to look for: one that came into Kafka at ``since`` or later, by default within the last day.

    Attributes:
        entity: Whom it is about, such as the customer's id: its partitions are read first, so that it is found sooner.
    """

    source: Annotated[str, Field(min_length=1, max_length=1024)]
    id: Annotated[str, Field(min_length=1, max_length=256)]
    since: Moment | None = None
    entity: Text = None
    cursor: Annotated[
        str | None,
        Field(max_length=MARK_CHARS + MAX_CHARS, description="The next_cursor of an answer that was unfinished"),
    ] = None
