"""What the list of executions is filtered by: as the API's, with a span of time, and times without a zone as UTC."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from pydantic import BeforeValidator, ConfigDict, Field

from app.admin.api.executions import chosen
from app.admin.execution_models import ExecutionQuery
from app.ports.executions import ExecutionFilter
from schemas.moments import Moment

SPANS: Final = {"15m": timedelta(minutes=15), "24h": timedelta(days=1), "7d": timedelta(days=7)}
FAILED: Final = "failed,partial,timed_out"
_NAIVE: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?")
_FIELD: Final = "%Y-%m-%dT%H:%M"
_LIVE: Final = ("workflow_id", "status", "event_type", "entity", "event_id", "search")


def _zoned(value: Any) -> Any:
    """Read what a browser's field for times sends, which has no zone, in UTC."""
    return f"{value}Z" if isinstance(value, str) and _NAIVE.fullmatch(value) else value


At = Annotated[Moment, BeforeValidator(_zoned)]


class ExecutionListQuery(ExecutionQuery):
    """As the API's, with a span of time that ends now."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    since: Annotated[At | None, Field(alias="from")] = None
    until: Annotated[At | None, Field(alias="to")] = None
    last: Annotated[Literal["15m", "24h", "7d"] | None, Field(description="How far back")] = None

    def wanted(self, now: datetime) -> ExecutionFilter:
        """Return the filter."""
        since, until = self._span(now)
        return replace(chosen(self), since=since, until=until, oldest_first=self.sort == "executed_at")

    def _span(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        return (now - SPANS[self.last], None) if self.last else (self.since, self.until)

    @property
    def fields(self) -> dict[str, str]:
        """Return the times as a browser's fields take them, in UTC."""
        given = {"from": self.since, "to": self.until}
        return {name: at.astimezone(UTC).strftime(_FIELD) if at else "" for name, at in given.items()}

    @property
    def is_live(self) -> bool:
        """Whether what ends now belongs to what is shown: the newest are, and no end of time is asked for."""
        return self.cursor is None and self.until is None and self.sort == "-executed_at"

    def followed(self) -> str:
        """Return the query string by which the API's stream tells of the same executions."""
        given = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return urlencode([(name, given[name]) for name in _LIVE if name in given])

    def exported(self, now: datetime) -> str:
        """Return the query string by which the API exports the same executions, without the format."""
        since, until = self._span(now)
        times = {"from": since.isoformat() if since else None, "to": until.isoformat() if until else None}
        return "&".join(filter(None, (self.followed(), urlencode({k: v for k, v in times.items() if v}))))
