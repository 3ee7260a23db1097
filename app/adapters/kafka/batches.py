"""How agents read: batches of what has arrived, unacked, at little cost per record.

    async for batch in batches(stream, max_records=500):
        for message in begin_many(batch):
            ...
            ack(message)

Records never become Faust events here; the messages carry bytes. What was revoked between arriving and beginning is
filtered by ``begin``: drop such a record silently, its next owner reads it again.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from app.adapters.kafka.budget import MIB
from app.adapters.kafka.messages import TrackedMessage

# A batch is decoded as a whole, which takes some times its bytes.
_BATCH_BYTES: Final = 8 * MIB


async def batches(stream: Any, *, max_records: int) -> AsyncIterator[list[TrackedMessage]]:
    """Yield what has arrived on an agent's stream, oldest first, at least one and at most ``max_records`` records.

    Large records come fewer at a time.

    It never waits by the clock: an empty channel is waited for, a single record is a batch. The iteration ends when
    the agent is stopped.
    """
    channel = stream.channel
    stream.app.deliver_directly(channel)
    queue = channel.queue
    while True:
        try:
            first = await queue.get()
        except StopAsyncIteration:  # how Faust stops an actor
            return
        batch = _take(queue, first, max_records)
        if batch:
            yield batch


def _take(queue: Any, first: Any, max_records: int) -> list[TrackedMessage]:
    waiting = queue._queue  # noqa: SLF001  # asyncio.Queue has no way to take many at once
    fits = int(_BATCH_BYTES / getattr(first, "message", first).lane.frontier.typical)
    count = max(min(max_records - 1, len(waiting), fits), 0)
    taken = [first, *(waiting.popleft() for _ in range(count))]
    _relieve(queue)
    messages = [getattr(item, "message", item) for item in taken]
    return [message for message in messages if message.lane.frontier.may_begin(message)]


def _relieve(queue: Any) -> None:
    """Let the consumer fetch again once the buffer has drained far enough."""
    pending = queue._pending_pressure_drop_callbacks  # noqa: SLF001  # as above
    if pending and queue.qsize() <= queue.pressure_drop_size:
        callbacks = list(pending)
        pending.clear()
        for callback in callbacks:
            callback()
    queue._wakeup_next(queue._putters)  # noqa: SLF001  # a full queue's putters wait for exactly this


def begin(message: TrackedMessage) -> bool:
    """Start on a record; False: it was revoked or discarded, drop it silently."""
    return message.lane.frontier.begin(message)


def begin_many(messages: Sequence[TrackedMessage]) -> list[TrackedMessage]:
    """Start on a batch; returns, in order, the records that may be processed."""
    return [message for message in messages if message.lane.frontier.begin(message)]


def abandon(message: TrackedMessage) -> None:
    """Give back a record that has begun but of which nothing with an effect ran."""
    message.lane.frontier.abandon(message)


def is_closing(message: TrackedMessage) -> bool:
    """Whether the record's partition is being given up: cut waits short, start nothing new."""
    return message.lane.closing


def ack(message: TrackedMessage) -> bool:
    """Finish a record: its offset may be committed once all before it are finished; False: the ack came too late."""
    message.acked = True
    return message.lane.frontier.done(message)


def ack_many(messages: Sequence[TrackedMessage]) -> None:
    """Finish a batch."""
    for message in messages:
        ack(message)
