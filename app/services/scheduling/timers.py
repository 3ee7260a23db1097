"""Firing timers: what is due goes to Kafka, and is forgotten once Kafka has it for good.

Several schedulers may do this side by side: each row is locked by one of them until it is sent. One that is killed
between sending and committing leaves its rows to be sent again; readers know a command by its receipt.
"""

import logging
import time
from collections import Counter as Tally
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from app.metrics.scheduler import TIMER_LATENESS, TIMERS_FIRED, TIMERS_REFUSED
from app.ports import Refusal, Sender
from app.ports.due_timers import DueTimer, TimerSession, TimerStore
from app.ports.outbox import Bounds
from app.services.delivery.sending import Instead, deliver_or_end, nothing_instead
from app.services.operations.outages import Outage, same_pauses, serve_for_ever
from schemas.log_ids import of_value

_BATCH: Final = 500
_LEAST_WAIT_S: Final = 0.05
_LONGEST_WAIT_S: Final = 30.0
_BACKOFF_S: Final = 1.0
_NAMED: Final = 20
_MISSING_REST: Final = timedelta(seconds=5)
_REFUSED_REST: Final = timedelta(minutes=10)

logger = logging.getLogger(__name__)


class TimerLoop:
    """Fires timers until cancelled.

    Args:
        store: Where timers are stored.
        sender: Where their records go.
        instead: Makes what is sent instead of a record that is refused.
        batch: Timers fired at once, at most; their records have 4 MiB at most, or are one.
        name: What they are, for the log.
    """

    def __init__(
        self,
        store: TimerStore,
        sender: Sender,
        *,
        instead: Instead = nothing_instead,
        batch: int = _BATCH,
        name: str = "timers",
    ) -> None:
        self._store = store
        self._sender = sender
        self._instead = instead
        self._bounds = Bounds(batch)
        self._outage = Outage(name, logger)

    async def run(self) -> None:
        """Fire for ever; where Kafka or Postgres is away, wait and go on by itself."""
        await serve_for_ever(self._outage, self._serve, same_pauses(_BACKOFF_S))

    async def _serve(self) -> None:
        async with self._store.open() as session:
            while True:
                await self._round(session)
                self._outage.served()

    async def _round(self, session: TimerSession) -> None:
        taken: Sequence[DueTimer] = ()
        sent: Sequence[DueTimer] = ()
        refused: Sequence[tuple[DueTimer, Refusal]] = ()
        taken_at = 0.0

        async def send(due: Sequence[DueTimer]) -> Sequence[DueTimer]:
            nonlocal taken, sent, refused, taken_at
            taken, taken_at = due, time.monotonic()
            sent, refused = await self._send(due)
            return sent

        found = await session.fire(self._bounds, send)
        _count(sent, time.monotonic() - taken_at)
        await self._set_aside(session, refused)
        if found < self._bounds.rows and sum(timer.record.size for timer in taken) < self._bounds.size:
            ahead = await session.next_due()
            # What another scheduler has locked is still there and due: it must not be asked for in a circle.
            await session.wait(_LONGEST_WAIT_S if ahead is None else min(max(ahead, _LEAST_WAIT_S), _LONGEST_WAIT_S))

    async def _send(self, due: Sequence[DueTimer]) -> tuple[list[DueTimer], list[tuple[DueTimer, Refusal]]]:
        """Send records; returns the timers of those that are durable, and why the others are refused."""
        refusals = await deliver_or_end(self._sender, self._instead, [timer.record for timer in due])
        told = list(zip(due, refusals, strict=True))
        return [timer for timer, why in told if why is None], [(timer, why) for timer, why in told if why is not None]

    async def _set_aside(self, session: TimerSession, refused: Sequence[tuple[DueTimer, Refusal]]) -> None:
        """Let timers rest whose record was refused: of a missing topic until it is looked for again."""
        TIMERS_REFUSED.inc(len(refused))
        for (topic, why), count in Tally((timer.record.topic, why) for timer, why in refused).items():
            held = [timer for timer, one in refused if one == why and timer.record.topic == topic]
            named = {"command_ids": [timer.command_id for timer in held[:_NAMED]], **of_value(held[0].record.value)}
            logger.error("timers are set aside", extra={"to": topic, "why": str(why), "count": count, **named})
        for rest, of_topic in ((_MISSING_REST, True), (_REFUSED_REST, False)):
            some = [(timer, why) for timer, why in refused if (why.reason == "no_topic") is of_topic]
            if some:
                await session.set_aside(some, rest)


def _count(sent: Sequence[DueTimer], took: float) -> None:
    """Count what was sent and is forgotten; ``took``: seconds from when it was taken up."""
    TIMERS_FIRED.inc(len(sent))
    for timer in sent:
        TIMER_LATENESS.observe(max(0.0, timer.late + took))
