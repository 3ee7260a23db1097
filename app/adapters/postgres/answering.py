"""Connections on which Postgres has to answer: one that says nothing is given up.

A server that is frozen keeps its connections: the kernel confirms what is sent, so that no setting of TCP ends a wait,
and a time limit that the server itself is to keep ends none either. So each wait for an answer has a deadline here.
"""

from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

RV = TypeVar("RV")

# A worker may wait for a lock of one that is frozen, whose transaction Postgres ends after 30 s.
ANSWERS_WITHIN_S: Final = 60.0
# What a process asks once, as it starts or for somebody who waits.
ASKED_WITHIN_S: Final = 10.0
# Upkeep: a statement of it may take long.
UPKEEP_WITHIN_S: Final = 900.0
# psycopg looks ten times a second whether it was interrupted, which a loop needs not: it costs a worker that waits for
# news half of its time. A connection that another task closes meanwhile is found out as soon.
_LOOK_EVERY_S: Final = 1.0


class AnsweringConnection(psycopg.AsyncConnection[Any]):
    """A connection that is closed, with an ``OperationalError``, when an answer takes too long.

    What is told how long to wait, as waiting for notifications is, keeps to that.

    Attributes:
        answers_within_s: Seconds that each answer may take: a statement's, a part's of one that comes in parts.
        begins_within_s: The same for what opens a transaction or stands outside of one, if that is to be quicker.
    """

    answers_within_s: float = ANSWERS_WITHIN_S
    begins_within_s: float | None = None

    async def wait(self, gen: PQGen[RV], interval: float = _LOOK_EVERY_S, timeout: float | None = None) -> RV:  # noqa: ASYNC109 - psycopg names it
        """Wait as psycopg does, but not for ever."""
        if timeout is not None:
            return await super().wait(gen, interval, timeout)
        within = self.answers_within_s
        if self.begins_within_s is not None and self.pgconn.transaction_status == TransactionStatus.IDLE:
            within = self.begins_within_s
        try:
            return await super().wait(gen, interval, within)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001 - no other name tells it from what the server says
            # Whatever it would still say belongs to nobody: the connection is of no more use.
            self.pgconn.finish()
            raise psycopg.OperationalError(f"the server has not answered within {within:g} s") from None
