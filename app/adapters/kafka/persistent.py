"""A sender that waits Kafka's outages out, so that one needs no manual step (docs/design.md#31-outages)."""

import logging
from collections.abc import Sequence
from typing import Final

from app.ports import Record, Refusal, Sender
from app.services.operations.outages import Outage, Pauses, until_served

log = logging.getLogger(__name__)

LIMIT_S: Final = 300.0
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 3.0


class PersistentSender(Sender):
    """Sends again until it is confirmed; a repeated record does no harm, every reader knows its id.

    Args:
        inner: The sender that does the work; ``UnreachableError`` from it is waited out.
        limit: Seconds after which the error is raised after all, which ends the process without an ack.
    """

    def __init__(self, inner: Sender, *, limit: float = LIMIT_S) -> None:
        self._inner = inner
        self._limit = limit
        self._outage = Outage("Kafka", log)

    async def deliver(self, records: Sequence[Record]) -> Sequence[Refusal | None]:
        """Produce records in order; see :class:`app.ports.Sender`.

        Raises:
            UnreachableError: Kafka stayed away for longer than the limit.
        """
        pauses = Pauses(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)
        return await until_served(
            lambda: self._inner.deliver(records), pauses, outage=self._outage, limit_s=self._limit
        )
