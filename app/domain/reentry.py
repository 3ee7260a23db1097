"""Re-entry: how often one entity, or one value of a field, may enter a workflow. Pure.

``always``, ``once``, or ``once per <duration>`` (as in ``once per 7 days``): from one entry to the next as much time
as that, or more. Moments are those at which events came into Kafka: an event that is read again is judged the same.

``{"once_per": "1 hour", "key": "cart.id"}`` and ``{"once": true, "key": "cart.id"}`` count by what the event has there
instead of by its entity. ``key`` is a dotted path into the event's data, or from ``event`` on one into its envelope.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from app.domain.durations import parse_duration
from app.domain.paths import MISSING, Path, parse_path
from app.domain.values import as_decimal, kind

ALWAYS: Final = "always"
PATTERN: Final = r"^(always|once|once per [^ ].*)$"
MAX_CHARS: Final = 60
SHORTEST: Final = timedelta(seconds=1)
MAX_VALUE_BYTES: Final = 256
_ONCE: Final = "once"
_PER: Final = "once per "
_ENVELOPE: Final = "event"
_ATTRIBUTE: Final = re.compile(r"[a-z0-9]+\Z")
# What templates and conditions of a step know beside the event: none of it is there yet when an event comes in.
_NOT_OF_EVENTS: Final = frozenset({"current", "results", "secrets", "workflow"})
_SHOWN_CHARS: Final = 80
# From the end: a value of the event's own stands before it.
_SINCE: Final = re.compile(r" entered the workflow at ([0-9T:.+-]+Z), and may enter it [^\"]*\Z")


class NoKeyError(ValueError):
    """An event has nothing to count its entries by; the text says what is wrong, and with which field."""


@dataclass(frozen=True, slots=True)
class Reentry:
    """A bound on entries.

    Attributes:
        text: As the user wrote it, without the key.
        window: The least time from one entry to the next; None: there is no next.
        key: Where in the event the value stands that entries are counted by; None: they are counted by entity.
    """

    text: str
    window: timedelta | None
    key: Path | None = None

    @property
    def counted_by(self) -> str:
        """The key as the user wrote it; empty where it is the entity."""
        return "" if self.key is None else self.key.text

    def who(self, entity: str, data: Any, envelope: Mapping[str, Any]) -> str:
        """Return what an event's entry is counted by.

        A number counts as the text it is written as, as it does in an entity: the cart 17 is the cart "17".

        Raises:
            NoKeyError: The event has no such value. The entry then counts for nothing: neither for its entity, nor for
                all events that lack the value.
        """
        if self.key is None:
            return entity
        found = self.key.rest.resolve(envelope) if self.key.root == _ENVELOPE else self.key.resolve(data)
        text = _text(found)
        if text:
            return _bounded(text)
        raise NoKeyError(
            f"{self.key.text} is {_what(found)}, and the workflow may be entered {self.how_often} for each value of it"
        )

    @property
    def how_often(self) -> str:
        """The bound, in words."""
        return "only once" if self.window is None else self.text


def parse_reentry(written: str | Mapping[str, Any]) -> Reentry | None:
    """Read what a user wrote; None sets no bound. A unit by itself is one of it: ``once per day``.

    Raises:
        ValueError: The text has none of these forms; the message says what they look like.
    """
    if not isinstance(written, str):
        return _parse_keyed(written)
    if written == ALWAYS:
        return None
    if written == _ONCE:
        return Reentry(written, None)
    if not written.startswith(_PER):
        raise ValueError('must be "always", "once" or "once per <duration>", as in "once per 7 days"')
    return Reentry(written, parse_window(written.removeprefix(_PER).strip()))


def parse_window(duration: str) -> timedelta:
    """Read the time from one entry to the next.

    Raises:
        ValueError: It is no duration, or shorter than a second.
    """
    window = parse_duration(f"1 {duration}" if duration.isalpha() else duration)
    if window < SHORTEST:
        raise ValueError("must be once per second, or less often")
    return window


def _parse_keyed(written: Mapping[str, Any]) -> Reentry:
    key, per = written.get("key"), written.get("once_per")
    if not isinstance(key, str) or not (isinstance(per, str) if "once_per" in written else written.get("once") is True):
        raise ValueError('must hold a key, and either "once": true or "once_per": <duration>')
    bound = Reentry(_ONCE, None) if per is None else Reentry(f"{_PER}{per}", parse_window(per))
    return replace(bound, key=parse_path(key))


def check_key(key: str) -> str:
    """Return a key as it is saved, once an event may have something there; one that is stored already is not asked.

    Raises:
        ValueError: It is no path, or leads to what no event has; the message says what it may be.
    """
    names = parse_path(key).text.split(".")
    if names[0] in _NOT_OF_EVENTS:
        raise ValueError(f"must lead into the event: there is no {names[0]} when entries are counted")
    if names[0] == _ENVELOPE and not _may_be_enveloped(names[1:]):
        raise ValueError("must be, from event on, an attribute of CloudEvents (a-z, 0-9) such as event.subject")
    return key


def _may_be_enveloped(names: list[str]) -> bool:
    """Tell whether an envelope may have a scalar there: its data any, and an attribute is one."""
    if names[:1] == ["data"]:
        return len(names) > 1
    return len(names) == 1 and _ATTRIBUTE.match(names[0]) is not None


def may_enter(at: datetime, last: datetime | None, window: timedelta | None) -> bool:
    """Tell whether an entity whose last entry was at ``last`` may enter at ``at``."""
    return last is None or (window is not None and at >= last + window)


def skip_reason(reentry: Reentry, since: datetime, who: str) -> str:
    """Say why who entered at ``since`` does not enter again; ``who`` is what :meth:`Reentry.who` said."""
    moment = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    named = "this entity"
    if reentry.key is not None:
        shown = who if len(who) <= _SHOWN_CHARS else f"{who[:_SHOWN_CHARS]}…"
        named = f'an event with {reentry.key.text} "{shown}"'
    return f"{named} entered the workflow at {moment}, and may enter it {reentry.how_often}"


def since_of(reason: str) -> datetime | None:
    """Return the moment that a reason of :func:`skip_reason` names; None of any other text."""
    found = _SINCE.search(reason)
    return datetime.fromisoformat(found[1]) if found else None


def _text(found: Any) -> str | None:
    if isinstance(found, str):
        return found
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, float):
        return format(as_decimal(found).normalize(), "f") if found else "0"
    return str(found) if isinstance(found, int) else None


def _bounded(text: str) -> str:
    """The text itself, or its start and its digest: longer than any text that stands for itself, so never one."""
    encoded = text.encode()
    if len(encoded) <= MAX_VALUE_BYTES:
        return text
    return f"{encoded[:MAX_VALUE_BYTES].decode(errors='ignore')}… sha256:{hashlib.sha256(encoded).hexdigest()}"


def _what(found: Any) -> str:
    if found is MISSING:
        return "missing"
    if found == "":
        return "empty"
    return "null" if found is None else f"an {kind(found)}"
