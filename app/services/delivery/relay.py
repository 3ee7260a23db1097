"""The outbox relay: what transactions leave in Postgres goes to Kafka in order (docs/design.md#12-workflow-table).

One relay works at a time; the others wait and take over when it dies. A crash between sending and deleting sends a
record twice, which readers settle by version or id. No position is remembered: every row that is visible is sent, so a
transaction that commits late, under an id lower than ids already sent, is not passed over.

A row that Kafka refuses is set aside in the table, with the error, and the others go on. Rows of a topic that does not
exist wait for it in their order: as long as one is set aside, later ones are put behind it.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from app.domain.errors import UnreachableError
from app.metrics.scheduler import (
    OUTBOX_DELAY,
    OUTBOX_LEADING,
    OUTBOX_OLDEST,
    OUTBOX_SENT,
    OUTBOX_SET_ASIDE,
    OUTBOX_WAITS,
)
from app.ports import Record, Refusal, Sender
from app.ports.outbox import Bounds, Outbox, OutboxRow, OutboxSession
from app.services.delivery.sending import Instead, deliver_or_end, nothing_instead
from app.services.delivery.set_aside import Aside
from app.services.operations.outages import Outage, Pauses, said_to_lead, serve_for_ever

_BATCH: Final = 500
_POLL_S: Final = 1.0
_RETRY_S: Final = 5.0
_FIRST_BACKOFF_S: Final = 0.1
_LONGEST_BACKOFF_S: Final = 2.0
_BEHIND: Final = Refusal("no_topic", "waits behind earlier records for the same topic")

logger = logging.getLogger(__name__)


class Relay:
    """Sends the outbox to Kafka.

    Args:
        outbox: Where records wait.
        sender: Sends them.
        instead: Makes what is sent instead of a record that is refused.
        meant: Tells the topic of a row: the database does not know how all of them are called.
        batch: Records sent at once, at most.
        poll_s: Seconds between two looks where no notification comes.
        retry_s: Seconds after which topics that were missing are looked for again.
    """

    def __init__(
        self,
        outbox: Outbox,
        sender: Sender,
        *,
        instead: Instead = nothing_instead,
        meant: Callable[[str], str] = str,
        batch: int = _BATCH,
        poll_s: float = _POLL_S,
        retry_s: float = _RETRY_S,
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._instead = instead
        self._meant = meant
        self._bounds = Bounds(batch)
        self._poll_s = poll_s
        self._retry_s = retry_s
        self._pauses = Pauses(_FIRST_BACKOFF_S, _LONGEST_BACKOFF_S)
        self._outage = Outage("outbox relay", logger)

    async def run(self) -> None:
        """Relay until cancelled; where Kafka or Postgres is away, wait and go on by itself."""
        await serve_for_ever(self._outage, self._lead, self._pauses)

    async def _lead(self) -> None:
        try:
            async with self._outbox.lead() as session:
                OUTBOX_LEADING.set(1)
                with said_to_lead("outbox relay", logger):
                    await self._serve(session)
        except UnreachableError:
            OUTBOX_WAITS.inc()
            raise
        finally:
            OUTBOX_LEADING.set(0)
            OUTBOX_SET_ASIDE.set(0)

    async def _serve(self, session: OutboxSession) -> None:
        aside = Aside(session, self._sending, self._bounds, self._retry_s)
        while True:
            await aside.retry_if_due()
            if not await self._relay_batch(session, aside):
                await session.wait(min(self._poll_s, aside.next_retry()))
            self._pauses.reset()
            self._outage.served()

    async def _relay_batch(self, session: OutboxSession, aside: Aside) -> bool:
        """Send one batch; returns whether more may be waiting."""
        rows = await session.pending(self._bounds)
        OUTBOX_OLDEST.set(_age(rows[0]) if rows else 0)
        if not rows:
            return False
        free = [row for row in rows if row.record.topic not in aside.missing]
        refusals = await self._sending(session, free)
        behind = {row.id: _BEHIND for row in rows if row.record.topic in aside.missing}
        await aside.put(rows, {**refusals, **behind})
        return True

    async def _sending(self, session: OutboxSession, rows: Sequence[OutboxRow]) -> Mapping[int, Refusal]:
        """Send rows and delete those that are durable; returns why the others are refused."""
        refusals = await deliver_or_end(self._sender, self._instead, [self._addressed(row.record) for row in rows])
        sent = [row for row, refusal in zip(rows, refusals, strict=True) if refusal is None]
        await session.delete([row.id for row in sent])
        OUTBOX_SENT.inc(len(sent))
        for row in sent:
            OUTBOX_DELAY.observe(_age(row))
        return {row.id: refusal for row, refusal in zip(rows, refusals, strict=True) if refusal is not None}

    def _addressed(self, record: Record) -> Record:
        topic = self._meant(record.topic)
        return record if topic == record.topic else replace(record, topic=topic)


def _age(row: OutboxRow) -> float:
    return max(0.0, (datetime.now(UTC) - row.created_at).total_seconds())
