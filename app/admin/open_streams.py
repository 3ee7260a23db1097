"""Answers that go on: followers and exports. How many of them there may be, in all and of one caller."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    """One that is open."""

    caller: UUID
    gone: Callable[[], bool]


class Streams:
    """The answers that go on.

    One whose caller has closed the connection ends within a second or two, at its next turn; it counts no more from the
    moment on that we know, so that who comes again at once finds room. An export counts until it has really ended:
    till then it may hold a database connection.

    Args:
        most: How many there may be at once.
        most_each: The same, of one caller.
        heartbeat: Seconds after which a stream shows that it lives, and that its caller still may have it.
    """

    def __init__(self, most: int, most_each: int, heartbeat: float = 10.0) -> None:
        self._most = most
        self._most_each = most_each
        self.heartbeat = heartbeat
        self._open: set[_Open] = set()

    @contextmanager
    def opened(self, caller: UUID, kind: Kind, gone: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Count one for as long as the block runs, or until its caller is gone.

        Raises:
            CallerStreamsError: The caller has too many.
            AllStreamsError: There are too many.
        """
        there = [one.caller for one in self._open if not one.gone()]
        if there.count(caller) >= self._most_each:
            STREAMS_REFUSED.labels("caller_full").inc()
            raise CallerStreamsError(f"You have {self._most_each} streams and exports open; close one")
        if len(there) >= self._most:
            STREAMS_REFUSED.labels("full").inc()
            raise AllStreamsError("There are too many streams and exports open; try again")
        opened = _Open(caller, gone)
        self._open.add(opened)
        STREAMS.labels(kind).inc()
        try:
            yield
        finally:
            STREAMS.labels(kind).dec()
            self._open.discard(opened)
