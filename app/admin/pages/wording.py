"""How times and numbers are said: in UTC, until a script says them in the viewer's zone and language."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from markupsafe import Markup, escape

_NONE: Final = "-"
# What stands in quotes is a value, which may hold asterisks of its own.
_NAMED: Final = re.compile(r'“[^”]*”|"(?:[^"\\]|\\.)*"|\*([^*]+)\*')
# Where an address or an id may go on in the next line: after a sign that parts it, or 16 characters without one.
_PIECE: Final = re.compile(r"\s+|[^\s._@/:=&?-]{1,16}[._@/:=&?-]*|[._@/:=&?-]+")
_SECOND_MS: Final = 1000
_MINUTE_MS: Final = 60_000
_DAY: Final = timedelta(days=1)
# What has just happened may be ahead of the clock of who looks: clocks differ by that much.
_CLOCKS: Final = timedelta(seconds=5)
_STEPS: Final = ((timedelta(hours=1), "h"), (timedelta(minutes=1), "min"), (timedelta(seconds=1), "s"))


def ago(at: datetime, now: datetime | None = None) -> str:
    """Say a time by how long ago it was, or how soon it comes, within a day; else by its date."""
    apart = (now or datetime.now(UTC)) - at
    if abs(apart) >= _DAY:
        return at.astimezone(UTC).strftime("%-d %b %Y")
    if timedelta(0) > apart > -_CLOCKS:
        return "now"
    step, unit = next(((step, unit) for step, unit in _STEPS if abs(apart) >= step), (None, ""))
    if step is None:
        return "now"
    said = f"{abs(apart) // step} {unit}"
    return f"{said} ago" if apart > timedelta(0) else f"in {said}"


def exact(at: datetime) -> str:
    """Say a time to the second, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def moment(at: datetime) -> Markup:
    """Say a time to the second amid other words: a script puts the viewer's zone in its place."""
    return Markup('<time datetime="{}" data-exact>{}</time>').format(at.isoformat(), exact(at))


def number(value: float) -> str:
    """Group a number's thousands."""
    return f"{value:,}"


def percent(share: float | None) -> str:
    """Say a share of 1."""
    return _NONE if share is None else f"{share:.1%}".replace(".0%", "%")


def seconds(ms: float | None) -> str:
    """Say milliseconds as a person does."""
    if ms is None:
        return _NONE
    if ms < _SECOND_MS:
        return f"{ms:.0f} ms"
    return f"{ms / _SECOND_MS:.1f} s" if ms < _MINUTE_MS else f"{ms / _MINUTE_MS:.1f} min"


def count_of(count: int, one: str, several: str | None = None) -> str:
    """Say how many there are: ``1 workflow``, ``2 workflows``."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def breakable(text: str) -> Markup:
    """Let a name, an address or an id go on in the next line at its parts, and nowhere else."""
    return Markup("<wbr>").join(_PIECE.findall(text))


def emphasized(text: str) -> Markup:
    """Say what is written between asterisks with emphasis, as ``app.domain.condition_words`` names fields."""
    said, at = Markup(""), 0
    for found in _NAMED.finditer(text):
        if found[1]:
            said += escape(text[at : found.start()]) + Markup("<strong>{}</strong>").format(found[1])
            at = found.end()
    return said + escape(text[at:])
