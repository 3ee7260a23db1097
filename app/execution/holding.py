"""Steps of owners who are over their share of CPU: they wait in Postgres, counted and seen, or fail and say why.

Nothing has happened for a step that waits: it has no receipt, and its copy is the same command. What has nothing in it
that could take long goes on, even where its owner is over their share.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from app.domain.shares import SAID, Shares
from app.domain.templating.plain import plain_parts
from app.domain.wall import ticked
from app.execution.routing import Router
from app.metrics.walls import WALLS
from app.ports import Parking, Timer
from app.services.messages.message_text import names_template
from schemas.command import Command
from schemas.workflow import Action

MOST_WAIT: Final = timedelta(minutes=5)
TURNED_AWAY: Final = f"not carried out, as {SAID}, and what waits for it already takes more than 5 minutes"
# Past it a config is not looked through to see whether it is simple.
_MOST_CHARS: Final = 4_096


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A step that would wait for too long; ``reason`` is its error."""

    reason: str = TURNED_AWAY


class Holding:
    """Holds back steps of owners whose templates and conditions have taken their share.

    Args:
        shares: What each owner has taken in this process.
        parking: Where steps wait.
        router: Makes the record of a step that is to be tried again.
        clock: The time.
    """

    def __init__(self, shares: Shares, parking: Parking, router: Router, clock: Callable[[], datetime]) -> None:
        self._shares = shares
        self._parking = parking
        self._router = router
        self._clock = clock

    def judge(self, command: Command) -> Timer | TurnedAway | None:
        """Return what a step has to wait for, or that it cannot; None where it may go on."""
        if not self._shares or _simple(command.action):
            return None
        wait = self._shares.line_up(command.workflow.owner, again=command.waits_since is not None)
        if not wait:
            return None
        now = self._clock()
        since, due = command.waits_since or now, now + timedelta(seconds=wait)
        if due - since > MOST_WAIT:
            WALLS.labels("step", "turned_away").inc()
            return TurnedAway()
        WALLS.labels("step", "delayed").inc()
        return self._timer(command, since, now, due)

    def count(self, command: Command, before: float) -> None:
        """Count for a command's owner what was ticked since ``before``, if that is surely long."""
        took = ticked() - before
        if took or self._shares.watches(command.workflow.id):
            self._shares.note(command.workflow.owner, command.workflow.id, took)

    async def park(self, timers: Sequence[Timer]) -> Sequence[None]:
        """Let steps wait.

        Raises:
            UnreachableError: Postgres stayed away for too long; the commands must stay unacked.
        """
        await self._parking.park(timers)
        return [None] * len(timers)

    def _timer(self, command: Command, since: datetime, now: datetime, due: datetime) -> Timer:
        return Timer(
            command_id=command.id,
            execution_id=command.execution_id,
            workflow_id=command.workflow.id,
            entity=command.entity,
            step=command.step,
            kind="quota",
            reason=f"quota: {SAID}",
            due=due,
            asked=now,
            record=self._router.again(command.model_copy(update={"waits_since": since})),
            destination=str(command.workflow.owner),
        )


def _simple(action: Action) -> bool:
    """Whether a step has nothing but text and paths in it."""
    if action.conditions or names_template(action):
        return False
    left = _MOST_CHARS
    for text in _texts(action.config):
        left -= len(text)
        if left < 0 or plain_parts(text) is None:
            return False
    return True


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)
