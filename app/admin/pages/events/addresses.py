"""Where an event is shown: its source and id, and what finds it sooner, in the address."""

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from app.services.operations.event_report import EventReport

ROOT: Final = "/events"
ONE: Final = f"{ROOT}/one"
# The topics tell times in milliseconds.
_BEFORE: Final = timedelta(seconds=1)


def event_path(source: str, event_id: str, since: datetime | None = None, entity: str | None = None) -> str:
    """Return the path of an event that came at a moment or later."""
    said = {"source": source, "id": event_id}
    if since is not None:
        said["since"] = (since - _BEFORE).isoformat()
    if entity:
        said["entity"] = entity
    return f"{ONE}?{urlencode(said)}"


def path_of(report: EventReport) -> str | None:
    """Return the path of an event of the topics; None where the record says too little of what it is."""
    if report.source is None or report.id is None:
        return None
    return event_path(report.source, report.id, report.received_at, report.entity)


def looked_up(report: EventReport) -> str:
    """Return where the API tells all of an event, as JSON."""
    return (path_of(report) or ONE).replace(ONE, "/api/v1/events/lookup", 1)


def made_from(report: EventReport) -> str:
    """Return where a workflow is made from an event."""
    said = {"event_source": report.source or "", "event_id": report.id or ""}
    return f"/workflows/new?{urlencode(said)}"


def tried_in(workflow_id: UUID, report: EventReport) -> str:
    """Return where a workflow is tried, with an event chosen, and when it came, for it to be found."""
    said = {"event_source": report.source, "event_id": report.id, "event_entity": report.entity}
    if report.received_at is not None:
        said["event_since"] = (report.received_at - _BEFORE).isoformat()
    return f"/workflows/{workflow_id}?{urlencode({name: value for name, value in said.items() if value})}#try"
