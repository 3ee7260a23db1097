"""The pool of an executor lane: entities in parallel, one entity's records in order (docs/design.md#2-order).

The records of an entity are in order as far as one owner's workflows go: no owner's steps wait behind those that
another owner's workflows have for the same customer, which may hang for long.

Owners take turns, so that one with a thousand records ready is not a thousand times before the next. Of an owner's
keys that are ready the one whose head record is oldest by Kafka's timestamp runs first: that keeps partitions even, and
little is in flight twice after a rebalance. A busy key's head would always be the oldest, so busy keys have at most
half of the slots while others are ready.

All that arrives is taken in, and waits behind its own key only. What bounds the memory is the consumer, which pauses
the partitions that hold too much (``app/adapters/kafka/budget.py``).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Final, Generic, TypeVar

from app.execution.bulkhead import Bulkhead
from app.execution.owner_turns import Turns
from app.ports import owner_of
from app.ports.ledger import Ledger
from schemas.incoming import Incoming

# More ready keys than that are not taken in; a busy key counts once, however many of its records wait. One owner's keys
# must not use it up for the others: before that the bytes do that the consumer bounds.
MAX_READY: Final = 4096
# A key with more records waiting is busy.
BUSY: Final = 4

M = TypeVar("M", bound=Incoming)
# A record's key, and whose it is where that is known.
_Key = tuple[bytes | None, bytes | None]


class KeyedPool(Generic[M]):
    """Runs a handler over records, ``slots`` at once, one at a time per key.

    Args:
        handle: Returns True when the record is done for good, False when it must be given back. What it raises ends
            the process by ``crash``; the record is not acked.
        ledger: Where begun and done records are noted.
        slots: Most records worked on at once, without those that have stepped aside.
        bulkhead: Where records step aside while they wait for a place or for their next attempt.
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
        self._queues: dict[_Key, deque[M]] = {}
        self._calm: Turns[_Key] = Turns()
        self._busy: Turns[_Key] = Turns()
        self._busy_at_work: set[_Key] = set()
        self._busy_had_its_turn = False
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
        """Take a record in; waits while so many keys are ready that this one could not begin soon."""
        while len(self._calm) + len(self._busy) >= MAX_READY:
            self._room.clear()
            await self._room.wait()
        key = message.key, owner_of(message)
        self._taken += 1
        queue = self._queues.get(key)
        if queue is None:
            self._queues[key] = queue = deque((message,))
            self._make_ready(key, queue)
            self._start()
        else:
            queue.append(message)

    def _make_ready(self, key: _Key, queue: deque[M]) -> None:
        ready = self._busy if len(queue) > BUSY else self._calm
        ready.push(key[1], (queue[0].timestamp or 0.0, next(self._order), key))

    def _start(self) -> None:
        while not self._stopped and len(self._tasks) - self._bulkhead.aside < self._slots:
            if not (self._calm or self._busy):
                return
            busy = self._busy_is_next()
            key = (self._busy if busy else self._calm).pop()
            if busy:
                self._busy_at_work.add(key)
            self._busy_had_its_turn = busy
            self._tasks.add(asyncio.create_task(self._work(key)))

    def _busy_is_next(self) -> bool:
        """Of the next ready keys, busy or not, that which may run; a single slot is taken in turns."""
        if not (self._calm and self._busy):
            return bool(self._busy)
        share = self._slots // 2 or int(not self._busy_had_its_turn)
        return len(self._busy_at_work) < share and self._busy.peek() < self._calm.peek()

    async def _work(self, key: _Key) -> None:
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

    def _finish(self, key: _Key) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.discard(task)
        self._busy_at_work.discard(key)
        queue = self._queues[key]
        queue.popleft()
        if queue:
            self._make_ready(key, queue)
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
