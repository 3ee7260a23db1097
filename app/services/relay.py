"""The outbox relay: what transactions left in Postgres goes to Kafka, in order, at least once (DESIGN 5.8).

One relay works at a time; the others wait and take over when it dies. A crash between sending and deleting sends a
record twice, which readers settle by version or id. No position is remembered: every row that is visible is sent, so a
transaction that commits late, under an id lower than ids already sent, is not passed over.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Final, Protocol

from prometheus_client import Counter, Gauge, Histogram

from app.domain.errors import InvalidError, UnreachableError
from app.ports import Record, Sender

_BATCH: Final = 500
_POLL_S: Final = 1.0
_FIRST_BACKOFF_S: Final = 0.1
_LONGEST_BACKOFF_S: Final = 2.0
_REFUSED_REST_S: Final = 60.0

logger = logging.getLogger(__name__)

sent_total = Counter("headrace_outbox_sent", "Records sent from the outbox")
refused_total = Counter("headrace_outbox_refused", "Records of the outbox that Kafka will never take, by attempt")
waits_total = Counter("headrace_outbox_relay_waits", "Times the relay waited because Kafka or Postgres did not answer")
leading = Gauge("headrace_outbox_relay_leading", "1 while this process is the relay")
oldest_seconds = Gauge("headrace_outbox_oldest_seconds", "Age of the oldest record that is not sent yet")
delay_seconds = Histogram(
    "headrace_outbox_delay_seconds",
    "From the row's creation to Kafka's confirmation",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A record that waits to be sent."""

    id: int
    record: Record
    created_at: datetime


class OutboxSession(Protocol):
    """The outbox, held by one relay alone. Every method raises ``UnreachableError`` once the hold may be lost."""

    async def pending(self, limit: int, skipped: Sequence[int]) -> Sequence[OutboxRow]:
        """Oldest rows in id order, without those in ``skipped``."""

    async def delete(self, ids: Sequence[int]) -> None:
        """Delete rows that were sent."""

    async def wait(self, within: float) -> None:
        """Return when rows may have come, after ``within`` seconds at the latest."""


class Outbox(Protocol):
    """The outbox as every candidate sees it."""

    def lead(self) -> AbstractAsyncContextManager[OutboxSession]:
        """Wait until no other relay holds the outbox, then hold it.

        Raises:
            UnreachableError: Postgres does not answer.
        """


class Relay:
    """Sends the outbox to Kafka.

    Args:
        outbox: Where records wait.
        sender: Where they go.
        batch: Records sent at once, at most.
        poll_s: Seconds between two looks where no notification comes.
    """

    def __init__(self, outbox: Outbox, sender: Sender, *, batch: int = _BATCH, poll_s: float = _POLL_S) -> None:
        self._outbox = outbox
        self._sender = sender
        self._batch = batch
        self._poll_s = poll_s
        self._backoff_s = _FIRST_BACKOFF_S
        self._refused: dict[int, float] = {}

    async def run(self) -> None:
        """Relay until cancelled; where Kafka or Postgres is away, wait and go on by itself."""
        while True:
            try:
                async with self._outbox.lead() as session:
                    leading.set(1)
                    logger.info("outbox relay: leading")
                    await self._serve(session)
            except UnreachableError as error:
                waits_total.inc()
                logger.warning("outbox relay: %s; next try in %.1f s", error, self._backoff_s)
            finally:
                leading.set(0)
            await asyncio.sleep(self._backoff_s)
            self._backoff_s = min(2 * self._backoff_s, _LONGEST_BACKOFF_S)

    async def _serve(self, session: OutboxSession) -> None:
        while True:
            if not await self._relay_batch(session):
                await session.wait(self._poll_s)
            self._backoff_s = _FIRST_BACKOFF_S

    async def _relay_batch(self, session: OutboxSession) -> bool:
        """Send one batch; returns whether more may be waiting."""
        rows = await session.pending(self._batch, self._resting())
        oldest_seconds.set(_age(rows[0]) if rows else 0)
        if not rows:
            return False
        sent = await self._send(rows)
        await session.delete([row.id for row in sent])
        sent_total.inc(len(sent))
        for row in sent:
            delay_seconds.observe(_age(row))
        return True

    async def _send(self, rows: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
        """Send rows and return those that are durable; the others rest, so that they hold nobody up."""
        try:
            await self._sender.send_all([row.record for row in rows])
        except InvalidError:
            return [row for row in rows if await self._send_one(row)]
        return rows

    async def _send_one(self, row: OutboxRow) -> bool:
        try:
            await self._sender.send(row.record)
        except InvalidError as error:
            refused_total.inc()
            logger.error("outbox row %d for %s is refused and stays: %s", row.id, row.record.topic, error)  # noqa: TRY400 - a traceback into the client says nothing
            self._refused[row.id] = monotonic() + _REFUSED_REST_S
            return False
        return True

    def _resting(self) -> Sequence[int]:
        now = monotonic()
        self._refused = {row_id: until for row_id, until in self._refused.items() if until > now}
        return list(self._refused)


def _age(row: OutboxRow) -> float:
    return max(0.0, (datetime.now(UTC) - row.created_at).total_seconds())
