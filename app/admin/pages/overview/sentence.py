"""The sentence on top of the overview: that everything flows, or what does not, each part a link to where it shows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from app.admin.pages.executions.filters import FAILED
from app.admin.pages.wording import count_of
from app.domain.callers import Caller
from app.ports.overview import Failing
from app.services.operations.overview import Trouble

_FAILURES: Final = f"/executions?status={FAILED}&last=24h"
_QUEUE: Final = "/queue"
_WAITING: Final = "/executions/waiting"
_MINUTE_S: Final = 60
_NAMES: Final = {
    "kafka": "Kafka",
    "postgres": "the database",
    "relay": "the relay to Kafka",
    "background": "a task of this process",
    "event_loop": "this process",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the sentence: what it says, and where one sees it."""

    text: str
    path: str


def parts_of(wrong: Sequence[Trouble], failing: Failing, caller: Caller) -> list[Part]:
    """Return the parts; none where everything flows."""
    # The queue's own page is for administrators; what waits of their own everybody sees.
    queue = _QUEUE if caller.role == "admin" else _WAITING
    return [_part(one, failing, queue) for one in wrong]


def _part(one: Trouble, failing: Failing, queue: str) -> Part:
    if one.kind == "failing":
        return Part(_failing(one, failing), _path_of(one, failing))
    return Part(_SAID[one.kind](one), queue)


def _failing(one: Trouble, failing: Failing) -> str:
    count = count_of(one.count, "execution") if failing.is_whole else f"at least {count_of(one.count, 'execution')}"
    if one.of == 1 and failing.most:
        return f"{_newest(failing)} is failing: {count} within the last hour"
    return f"{count_of(one.of, 'workflow')} are failing: {count} within the last hour"


def _newest(failing: Failing) -> str:
    return f"“{failing.most[0].name}”" if len(failing.most) == 1 else "One workflow"


def _path_of(one: Trouble, failing: Failing) -> str:
    alone = one.of == 1 and len(failing.most) == 1
    return f"{_FAILURES}&workflow_id={failing.most[0].workflow_id}" if alone else _FAILURES


def _away(one: Trouble) -> str:
    return f"{_NAMES.get(one.about, one.about)} is in trouble: {one.why}"


def _breaker(one: Trouble) -> str:
    waiting = f", {count_of(one.count, 'step')} waiting for it" if one.count else ""
    if one.until is None:
        return f"{one.about} failed and is being tried again{waiting}"
    return f"{one.about} is left alone until {_clock(one.until)} because it failed{waiting}"


def _clock(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%H:%M UTC")


def _late(one: Trouble) -> str:
    lasts = f"{one.seconds:.0f} s" if one.seconds < _MINUTE_S else count_of(int(one.seconds // _MINUTE_S), "minute")
    return f"changes have waited for Kafka for {lasts}"


_SAID: Final[dict[str, Callable[[Trouble], str]]] = {
    "away": _away,
    "breaker": _breaker,
    "behind": lambda one: f"{count_of(one.count, 'record waits', 'records wait')} to be processed",
    "late": _late,
    "letters": lambda one: f"{count_of(one.count, 'record')} could not be processed",
    "set_aside": lambda one: f"{count_of(one.count, 'record was', 'records were')} not taken by Kafka",
    "alert": lambda one: one.about,
}


def as_list(parts: Sequence[Part]) -> Iterator[tuple[Part, bool]]:
    """Yield the parts as one sentence has them: the first begins it; and whether one is the last."""
    for place, one in enumerate(parts):
        text = one.text[:1].upper() + one.text[1:] if place == 0 else one.text
        yield Part(text, one.path), place == len(parts) - 1
