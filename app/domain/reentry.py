"""Re-entry: how often one entity may enter a workflow. Pure.

``always``, ``once``, or ``once per <duration>`` (as in ``once per 7 days``): from one entry to the next as much time
as that, or more. Moments are those at which events came into Kafka: an event that is read again is judged the same.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from app.domain.durations import parse_duration

ALWAYS: Final = "always"
PATTERN: Final = r"^(always|once|once per [^ ].*)$"
MAX_CHARS: Final = 60
SHORTEST: Final = timedelta(seconds=1)
_ONCE: Final = "once"
_PER: Final = "once per "


@dataclass(frozen=True, slots=True)
class Reentry:
    """A bound on entries.

    Attributes:
        text: As the user wrote it.
        window: From one entry to the next, at least; None: there is no next.
    """

    text: str
    window: timedelta | None


def parse_reentry(text: str) -> Reentry | None:
    """Read what a user wrote; None sets no bound. A unit by itself is one of it: ``once per day``.

    Raises:
        ValueError: It is none of the three; the message says what they look like.
    """
    if text == ALWAYS:
        return None
    if text == _ONCE:
        return Reentry(text, None)
    if not text.startswith(_PER):
        raise ValueError('must be "always", "once" or "once per <duration>", as in "once per 7 days"')
    duration = text.removeprefix(_PER).strip()
    window = parse_duration(f"1 {duration}" if duration.isalpha() else duration)
    if window < SHORTEST:
        raise ValueError("must be once per second, or less often")
    return Reentry(text, window)


def may_enter(at: datetime, last: datetime | None, window: timedelta | None) -> bool:
    """Tell whether an entity whose last entry was at ``last`` may enter at ``at``."""
    return last is None or (window is not None and at >= last + window)


def skip_reason(reentry: Reentry, since: datetime) -> str:
    """Say why an entity that entered at ``since`` does not enter again."""
    moment = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    how_often = "only once" if reentry.window is None else reentry.text
    return f"this entity entered the workflow at {moment}, and may enter it {how_often}"
