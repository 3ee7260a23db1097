"""Where an event is shown: its source and id, and what finds it sooner, in the address."""

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

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


def chosen_in(path: str, report: EventReport) -> str:
    """Return a page's path with the event chosen in it, as the editor reads that."""
    said = {"event_source": report.source or "", "event_id": report.id or ""}
    return f"{path}?{urlencode(said)}"
