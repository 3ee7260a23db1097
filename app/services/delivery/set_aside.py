"""What the relay has set aside: rows that Kafka refused, and those that wait behind them for a missing topic."""

import logging
from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Final

from app.metrics.scheduler import OUTBOX_REFUSED, OUTBOX_SET_ASIDE
from app.ports import Refusal
from app.ports.outbox import Bounds, OutboxRow, OutboxSession, Sending
from schemas.log_ids import of_value

_REFUSED_RETRY_S: Final = 60.0
_NAMED: Final = 20

logger = logging.getLogger(__name__)


class Aside:
    """The rows that are set aside, while one relay leads.

    Attributes:
        missing: Topics that do not exist, with rows that wait for them.
    """

    def __init__(self, session: OutboxSession, sending: Sending, bounds: Bounds, retry_s: float) -> None:
        self._session = session
        self._sending = sending
        self._bounds = bounds
        self._retry_s = retry_s
        self._due = self._refused_due = 0.0
        self.missing: set[str] = set()

    def next_retry(self) -> float:
        """Seconds until rows are to be tried again."""
        return max(0.0, self._due - monotonic())

    async def put(self, rows: Sequence[OutboxRow], refusals: Mapping[int, Refusal]) -> None:
        """Set rows aside that were refused."""
        if not refusals:
            return
        OUTBOX_REFUSED.inc(len(refusals))
        records = {row.id: row.record for row in rows}
        for (topic, refusal), count in Tally((records[row_id].topic, why) for row_id, why in refusals.items()).items():
            some = [row_id for row_id, why in refusals.items() if why == refusal and records[row_id].topic == topic]
            named = {"outbox_ids": some[:_NAMED], **of_value(records[some[0]].value)}
            said = {"to": topic, "why": str(refusal), "count": count, **named}
            logger.error("records of the outbox are set aside", extra=said)
            if refusal.reason == "no_topic":
                self.missing.add(topic)
        await self._session.set_aside(refusals)

    async def retry_if_due(self) -> None:
        """Try what is set aside again: rows of missing topics soon, others seldom."""
        now = monotonic()
        if now < self._due:
            return
        self._due = now + self._retry_s
        counts = await self._session.topics_set_aside()
        OUTBOX_SET_ASIDE.set(sum(counts.values()))
        self.missing = {topic for topic, reason in counts if reason == "no_topic"}
        for topic in tuple(self.missing):
            await self._retry(topic)
        if now >= self._refused_due:
            self._refused_due = now + _REFUSED_RETRY_S
            await self._still_missing(await self._session.refused(self._bounds))

    async def _retry(self, topic: str) -> None:
        """Send the first of the rows that wait for a topic alone, and if it exists a batch; the rest is due at once."""
        if await self._still_missing(await self._session.waiting_for(topic, Bounds(1))):
            return
        rows = await self._session.waiting_for(topic, self._bounds)
        if not rows:
            self.missing.discard(topic)
        elif not await self._still_missing(rows):
            self._due = 0.0

    async def _still_missing(self, rows: Sequence[OutboxRow]) -> bool:
        """Send rows; tell whether their topic does not exist."""
        refusals = await self._sending(self._session, rows) if rows else {}
        if refusals:
            await self._session.set_aside(refusals)
        return any(refusal.reason == "no_topic" for refusal in refusals.values())
