"""What a channel is told of the alerts: only what has changed since it was told last, all of it in one message."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from app.domain.alert_rules import BY_NAME, Alert, Unit
from app.domain.alert_states import Standing, Wrong

MOST_LINES: Final = 20
_MINUTE: Final = 60
_MOST_SUBJECT: Final = 120

# What a channel was told that it fires: subjects by the alert's full name.
Told = Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class News:
    """What has changed since a channel was told last.

    Attributes:
        begun: What fires, and the channel does not know.
        ended: What the channel believes to fire, and does not.
    """

    begun: tuple[tuple[Alert, str, Wrong], ...]
    ended: tuple[tuple[Alert, str], ...]

    def __bool__(self) -> bool:
        return bool(self.begun or self.ended)


def news(standings: Mapping[str, Standing], told: Told) -> News:
    """Return what a channel is to be told; of alerts that there are no more, nothing."""
    begun = [
        (alert, subject, wrong)
        for name, alert in BY_NAME.items()
        for subject, wrong in sorted(standings.get(name, Standing()).firing.items())
        if subject not in told.get(name, ())
    ]
    ended = [
        (alert, subject)
        for name, alert in BY_NAME.items()
        for subject in sorted(told.get(name, ()))
        if subject not in standings.get(name, Standing()).firing
    ]
    return News(tuple(begun), tuple(ended))


def now_told(standings: Mapping[str, Standing]) -> dict[str, list[str]]:
    """Return what a channel knows once it has been told the news."""
    firing = {name: sorted(standing.firing) for name, standing in standings.items() if name in BY_NAME}
    return {name: subjects for name, subjects in firing.items() if subjects}


def message(told: News) -> tuple[str, str]:
    """Return the title and the text of a message; what is too much for one is counted."""
    parts = [f"{len(told.begun)} firing"] * bool(told.begun) + [f"{len(told.ended)} resolved"] * bool(told.ended)
    lines = [
        f"FIRING {alert.severity}: {alert.full_name}: {summary(alert, subject, wrong.value)}\n"
        f"  {alert.description}\n  {alert.runbook}"
        for alert, subject, wrong in told.begun
    ] + [f"RESOLVED: {alert.full_name}{f' ({_short(subject)})' if subject else ''}" for alert, subject in told.ended]
    left = len(lines) - MOST_LINES
    shown = lines[:MOST_LINES] + ([f"and {left} more: see docs/alerts.md"] if left > 0 else [])
    return f"Headrace: {', '.join(parts)}", "\n".join(shown)


def summary(alert: Alert, subject: str, value: float) -> str:
    """Return an alert's line about one subject."""
    return alert.summary.replace("{subject}", _short(subject)).replace("{value}", said(alert.unit, value))


def said(unit: Unit, value: float) -> str:
    """Return a value as a person writes it."""
    if unit is Unit.SHARE:
        return f"{value:.0%}"
    if unit is Unit.SECONDS:
        minutes, seconds = divmod(round(value), _MINUTE)
        return f"{minutes} min {seconds} s" if minutes else f"{value:.3g} s"
    return f"{value:.0f}"


def _short(subject: str) -> str:
    return subject if len(subject) <= _MOST_SUBJECT else subject[:_MOST_SUBJECT] + "…"
