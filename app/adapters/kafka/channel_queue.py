"""The queue of a Faust channel, with many records put in or taken out at once.

asyncio's queue takes and gives one at a time, and mode looks at its flow control with each. All that reaches into the
two for it stands here.
"""

from collections.abc import Callable, Iterable
from typing import Any


def put_many(queue: Any, items: Iterable[Any]) -> None:
    """Put items in, however full the queue is, and wake who waits for one."""
    queue._queue.extend(items)
    queue._wakeup_next(queue._getters)


def take_more(queue: Any, most: int) -> list[Any]:
    """Take out what is there, at most so many, without waiting; whoever waits for the queue to drain is told."""
    waiting = queue._queue
    taken = [waiting.popleft() for _ in range(min(most, len(waiting)))]
    _relieve(queue)
    queue._wakeup_next(queue._putters)  # a full queue's putters wait for exactly this
    return taken


def is_nearly_full(queue: Any) -> bool:
    """Whether it is time to put no more in, and nobody waits for it to drain yet."""
    return not queue._pending_pressure_drop_callbacks and queue.qsize() >= queue.pressure_high_size


def when_drained(queue: Any, call: Callable[[], object]) -> None:
    """Call once when the queue has drained far enough."""
    queue._pending_pressure_drop_callbacks.add(call)


def forget_waiting(queue: Any) -> None:
    """Forget what was to be called when the queue has drained."""
    queue._pending_pressure_drop_callbacks.clear()


def _relieve(queue: Any) -> None:
    pending = queue._pending_pressure_drop_callbacks
    if pending and queue.qsize() <= queue.pressure_drop_size:
        callbacks = list(pending)
        pending.clear()
        for callback in callbacks:
            callback()
