"""The pool of an executor lane: entities in parallel, one entity's records in order (DESIGN 5.6).

Of the keys that are ready the one whose head record is oldest by Kafka's timestamp runs first: that keeps partitions
even, and little is in flight twice after a rebalance.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Final, Generic, Protocol, TypeVar

from agents.bulkhead import Bulkhead
from schemas.incoming import Incoming

MAX_TAKEN: Final = 512
MAX_PER_KEY: Final = 32


M = TypeVar("M", bound=Incoming)
M_contra = TypeVar("M_contra", bound=Incoming, contravariant=True)


class Ledger(Protocol[M_contra]):
    """Where a record stands between fetch and commit; the transport's frontier implements it."""

    def begin(self, message: M_contra, /) -> bool:
        """Say that work on the record begins; False where its partition was taken away."""

    def abandon(self, message: M_contra, /) -> None:
        """Give a begun record back: nothing happened, whoever owns the partition next gets it again."""

    def is_closing(self, message: M_contra, /) -> bool:
        """Tell whether the record's partition is being taken away."""

    def ack(self, message: M_contra, /) -> object:
        """Say that the record is done for good."""


class KeyedPool(Generic[M]):
    """Runs a handler over records, ``slots`` at once, one at a time per key.

    Args:
        handle: Returns True when the record is done for good, False when it must be given back. What it raises ends
            the process by ``crash``; the record is not acked.
        ledger: Where begun and done records are noted.
        slots: Most records worked on at once,
        bulkhead: not counting those that have stepped aside in it.
        crash: Ends the process with an error.
    """

    def __init__(
        self,
        handle: Callable[[M], Awaitable[bool]],
        *,
        ledger: Ledger[M],
        slots: int,
        crash: Callable[[BaseException], Awaitable[None]],
        bulkhead: Bulkhead | None = None,
    ) -> None:
        self._handle = handle
        self._ledger = ledger
        self._slots = slots
        self._crash = crash
        self._bulkhead = bulkhead or Bulkhead(slots, shared=False)
        self._bulkhead.on_room(self._start)
        self._queues: dict[bytes | None, deque[M]] = {}
        self._ready: list[tuple[float, int, bytes | None]] = []
        self._order = count()
        self._tasks: set[asyncio.Task[None]] = set()
        self._taken = 0
        self._stopped = False
        self._room = asyncio.Event()
        self._room.set()

    @property
    def taken(self) -> int:
        """Records taken and not finished."""
        return self._taken

    async def put(self, message: M) -> None:
        """Take a record in; waits while the pool or the record's key is full."""
        key = message.key
        while self._taken >= MAX_TAKEN or len(self._queues.get(key, ())) >= MAX_PER_KEY:
            self._room.clear()
            await self._room.wait()
        self._taken += 1
        queue = self._queues.get(key)
        if queue is None:
            self._queues[key] = deque((message,))
            self._make_ready(key, message)
            self._start()
        else:
            queue.append(message)

    def _make_ready(self, key: bytes | None, head: M) -> None:
        heapq.heappush(self._ready, (head.timestamp or 0.0, next(self._order), key))

    def _start(self) -> None:
        while self._ready and not self._stopped and len(self._tasks) - self._bulkhead.aside < self._slots:
            key = heapq.heappop(self._ready)[2]
            task = asyncio.create_task(self._work(key))
            self._tasks.add(task)

    async def _work(self, key: bytes | None) -> None:
        message = self._queues[key][0]
        try:
            if self._ledger.begin(message):
                if await self._handle(message):
                    self._ledger.ack(message)
                else:
                    self._ledger.abandon(message)
        except Exception as error:  # noqa: BLE001 - handed on: Kafka or Postgres failed for good, the process ends
            await self._crash(error)
        finally:
            self._finish(key)

    def _finish(self, key: bytes | None) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.discard(task)
        queue = self._queues[key]
        queue.popleft()
        if queue:
            self._make_ready(key, queue[0])
        else:
            del self._queues[key]
        self._taken -= 1
        self._room.set()
        self._start()

    async def stop(self) -> None:
        """Cancel what is still running and start nothing more; the frontier has waited for what had begun."""
        self._stopped = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
