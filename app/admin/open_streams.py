"""Answers that go on: followers and exports. How many of them there may be, in all and of one caller."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from uuid import UUID

from app.admin.problems import RefusedError
from app.metrics.admin import STREAMS, STREAMS_REFUSED

Kind = Literal["executions", "queue", "export"]


class CallerStreamsError(RefusedError):
    """Its caller has too many streams open."""

    status = 429
    again = True


class AllStreamsError(RefusedError):
    """This process has too many streams open."""

    status = 503
    again = True


class Streams:
    """The answers that go on.

    Args:
        most: How many there may be at once.
        most_each: The same, of one caller.
        heartbeat: Seconds after which a stream shows that it lives, and that its caller still may have it.
    """

    def __init__(self, most: int, most_each: int, heartbeat: float = 10.0) -> None:
        self._most = most
        self._most_each = most_each
        self.heartbeat = heartbeat
        self._open: Counter[UUID] = Counter()

    @contextmanager
    def opened(self, caller: UUID, kind: Kind) -> Iterator[None]:
        """Count one for as long as the block runs.

        Raises:
            CallerStreamsError: The caller has too many.
            AllStreamsError: There are too many.
        """
        if self._open[caller] >= self._most_each:
            STREAMS_REFUSED.labels("caller_full").inc()
            raise CallerStreamsError(f"You have {self._most_each} streams and exports open; close one")
        if self._open.total() >= self._most:
            STREAMS_REFUSED.labels("full").inc()
            raise AllStreamsError("There are too many streams and exports open; try again")
        self._open[caller] += 1
        STREAMS.labels(kind).inc()
        try:
            yield
        finally:
            STREAMS.labels(kind).dec()
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]
