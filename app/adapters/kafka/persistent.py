"""A sender that waits Kafka's outages out, so that a broker away for a while needs no manual step (DESIGN 5.4)."""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Final

from app.domain.errors import UnreachableError
from app.ports import Record, Refusal, Sender

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

    async def deliver(self, records: Sequence[Record]) -> Sequence[Refusal | None]:
        """Produce records in order; see :class:`app.ports.Sender`.

        Raises:
            UnreachableError: Kafka stayed away for longer than the limit.
        """
        until = time.monotonic() + self._limit
        pause = _FIRST_PAUSE_S
        while True:
            try:
                return await self._inner.deliver(records)
            except UnreachableError as error:
                if time.monotonic() > until:
                    raise
                log.warning("Kafka did not take %d records, trying again: %s", len(records), error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
