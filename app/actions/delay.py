"""``delay``: wait, for a duration or until a time; what comes after it runs then, across any restart."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, TypeVar

from pydantic import Field, ValidationInfo, field_validator

from app.actions.base import ActionConfig, ActionContext, CompiledConfig, ControlAction, DelayRequest
from app.actions.shown import Shown, Way, form
from app.actions.templated import Templated, is_known
from app.actions.values import filled_line, refuse
from app.domain.durations import MAX_DURATION, parse_duration
from app.domain.moments import EVERY_DAY, next_open, parse_clock, parse_days, read_moment
from app.domain.offsets import Offset, moved, parse_offset
from app.domain.zones import zone_named
from schemas.together import Together, Wrong

_MAX_CHARS: Final = 100
_UTC: Final = "UTC"
_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "duration": parse_duration,
    "until": read_moment,
    "timezone": zone_named,
    "offset": parse_offset,
    "at": parse_clock,
    "days": parse_days,
}

T = TypeVar("T")


class DelayConfig(Together, ActionConfig):
    """How long, or until when; moved by ``offset``, and then on to a time of day and to days of the week."""

    model_config = form(
        "Wait",
        "Holds the steps below back for a while, or until a moment.",
        icon="wait",
        family="Flow",
        summary=(
            "for {duration}, on to {at}",
            "for {duration}",
            "until {until} {offset}, on to {at}",
            "until {until} {offset}",
            "until {until}, on to {at}",
            "until {until}",
        ),
        choices={"How it waits": (Way("For some time", ("duration",)), Way("Until a moment", ("until",)))},
    )

    duration: Annotated[
        str | float | None,
        Templated(),
        Shown("How long", "Such as 15 minutes, 2 hours, 3 days or 1 week; a year at most.", "duration"),
        Field(description="90 (seconds), 15m, 2h, 3 days, 1w, PT2H; at most 366 days"),
    ] = None
    until: Annotated[
        str | int | float | None,
        Templated(),
        Shown("Until", "A date and time, or the field of the event that has one.", "moment"),
        Field(description="ISO 8601 with or without zone, a date, Unix seconds (10 digits) or milliseconds (13)"),
    ] = None
    timezone: Annotated[
        str | None,
        Templated(),
        Shown("Time zone", "On whose clocks; UTC where it is empty.", "timezone", more=True),
        Field(
            description="IANA zone of an until that names none, of the days of offset, of at and days; UTC if left out"
        ),
    ] = None
    offset: Annotated[
        str | None,
        Templated(),
        Shown("Earlier or later by", "Such as -1d for the day before, or +2h for two hours later.", "line", more=True),
        Field(description="-1d, +2h, +1w -2h; days and weeks are local calendar days"),
    ] = None
    at: Annotated[
        str | None,
        Templated(),
        Shown("Then until this time of day", "Such as 09:00.", "line", example="09:00", more=True),
        Field(description="HH:MM; go on at the next such local time"),
    ] = None
    days: Annotated[
        str | list[str] | None,
        Templated(),
        Shown("Only on these days", "Such as mon-fri, or mon, thu.", "days", more=True),
        Field(description="mon-fri, or [mon, thu]; go on at the next such local day"),
    ] = None

    @field_validator(*_READERS, mode="before")
    @classmethod
    def _constants_can_be_read(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None and is_known(value):
            _READERS[info.field_name or ""](value)
        return value

    @classmethod
    def wrong_together(cls, written: Mapping[str, Any]) -> Iterator[Wrong]:
        """One of duration and until is needed."""
        if (written.get("duration") is None) == (written.get("until") is None):
            yield "duration", "either duration or until is needed"


class Delay(ControlAction[DelayConfig]):
    """Waits; output ``{until}``, and ``passed`` where that time has passed, which is no wait."""

    name = "delay"
    family = "system"
    config = DelayConfig

    def prepare(self, config: CompiledConfig[DelayConfig], context: ActionContext) -> DelayRequest:
        """Render and check; a duration counts from now."""
        return DelayRequest(end_of(config.render(context.scope), context.now()))


def end_of(fields: Mapping[str, Any], now: datetime) -> datetime:
    """Return when a wait is over.

    Args:
        fields: The fields of a :class:`DelayConfig`, rendered.
        now: What a duration counts from, and before which nothing that ``at`` or ``days`` bounds is over.

    Raises:
        ActionFailedError: A field cannot be read, or it would be too long; names the field and its value.
    """
    zone = _read(fields, "timezone", zone_named(_UTC))
    offset, at, days = _read(fields, "offset", Offset()), _read(fields, "at", None), _read(fields, "days", EVERY_DAY)
    until = _read(fields, "until", now)
    name = "duration" if fields["until"] is None else "until"
    try:
        moment = moved(until + _read(fields, "duration", timedelta()), offset, zone)
        if moment > now + MAX_DURATION:
            refuse(name, f"{moment.isoformat()} is more than {MAX_DURATION.days} days from now")
        return next_open(moment, now, at, days, zone).astimezone(UTC)
    except OverflowError:
        refuse(name, f"{fields[name]!r} leaves the calendar")


def _read(fields: Mapping[str, Any], name: str, otherwise: T) -> T:
    """Read a field that was rendered; ``otherwise`` where it was left out."""
    value = fields[name]
    if value is None:
        return otherwise
    if isinstance(value, list):
        value = ",".join(value)
    if isinstance(value, str):
        value = filled_line(name, value, max_chars=_MAX_CHARS)
    try:
        found: T = _READERS[name](value)
    except ValueError as error:
        refuse(name, f"{value!r} {error}")
    return found
