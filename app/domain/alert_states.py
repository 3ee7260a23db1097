"""Judging alerts: from what they stood at and a reading to what they stand at now. Pure, over a given clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from app.domain.alert_rules import Alert, Kind

# Readings kept of a window, so that what is stored stays small however often alerts are judged.
_KEPT_OF_WINDOW: Final = 20

# A value by what it is about. Of counters by the process that counts, ``role/instance``.
Reading = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Wrong:
    """One subject of an alert that is wrong, or was until a moment ago.

    Attributes:
        since: When it began, in seconds since the epoch.
        seen: When it was wrong last.
        value: Its value then.
        firing: It has held long enough.
    """

    since: float
    seen: float
    value: float
    firing: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What an alert stands at.

    Attributes:
        subjects: What is wrong, by subject; the installation as a whole is the empty one.
        past: Earlier readings, oldest first, with their times: what increases and growths are counted from.
    """

    subjects: Mapping[str, Wrong] = field(default_factory=dict)
    past: tuple[tuple[float, Reading], ...] = ()

    @property
    def firing(self) -> Mapping[str, Wrong]:
        """The subjects that fire."""
        return {subject: wrong for subject, wrong in self.subjects.items() if wrong.firing}


def judge(alert: Alert, before: Standing, reading: Reading | None, now: float) -> Standing:
    """Return what an alert stands at now.

    Args:
        alert: Which one.
        before: What it stood at.
        reading: What was read; None where it cannot be known, and then all stays as it was.
        now: Seconds since the epoch.
    """
    if reading is None:
        return before
    values = _values(alert, before.past, reading, now)
    subjects = {subject: _still(alert, old, now) for subject, old in before.subjects.items() if old.firing}
    kept = {subject: old for subject, old in subjects.items() if old is not None}
    for subject, value in values.items():
        if value > alert.above:
            old = before.subjects.get(subject)
            since = now if old is None else old.since
            firing = now - since >= alert.hold_s or (old is not None and old.firing)
            kept[subject] = Wrong(since, now, value, firing)
    return Standing(kept, _kept(alert, before.past, reading, now))


def _still(alert: Alert, old: Wrong, now: float) -> Wrong | None:
    """Return what fires and may be right again, until that has lasted."""
    return old if now - old.seen < alert.keep_s else None


def _values(alert: Alert, past: tuple[tuple[float, Reading], ...], reading: Reading, now: float) -> Reading:
    if alert.kind is Kind.INCREASE:
        return _increases(alert, [*past, (now, reading)])
    if alert.kind is Kind.GROWTH:
        earlier = [of for at, of in past if at <= now - alert.window_s]
        return {name: value - earlier[-1].get(name, 0) for name, value in reading.items()} if earlier else {}
    return reading


def _increases(alert: Alert, readings: list[tuple[float, Reading]]) -> Reading:
    """Return by how much counters went up within the window; one that begins anew, or to be, counts from nought."""
    found: dict[str, float] = {}
    last = dict(readings[0][1])
    for _, reading in readings[1:]:
        for counter, value in reading.items():
            before = last.get(counter, 0)
            subject = counter.partition("/")[0] if alert.by else ""
            found[subject] = found.get(subject, 0) + (value if value < before else value - before)
        last |= reading
    return found


def _kept(
    alert: Alert, past: tuple[tuple[float, Reading], ...], reading: Reading, now: float
) -> tuple[tuple[float, Reading], ...]:
    """Return the readings to keep: those of the window, spread, and the one that stood as it began."""
    if alert.kind is Kind.LEVEL:
        return ()
    if past and now - past[-1][0] < alert.window_s / _KEPT_OF_WINDOW:
        return past
    began = [one for one in past if one[0] <= now - alert.window_s]
    return (*began[-1:], *(one for one in past if one[0] > now - alert.window_s), (now, reading))
