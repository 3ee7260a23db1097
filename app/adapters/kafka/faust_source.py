"""The records of an agent, as our Faust transport hands them out: batches of what has arrived, at little cost each.

Records never become Faust events here; the messages carry bytes.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from app.adapters.kafka import channel_queue
from app.adapters.kafka.frontier_ledger import FrontierLedger, fit_a_batch
from app.adapters.kafka.messages import TrackedMessage


class FaustSource(FrontierLedger[TrackedMessage]):
    """What one agent reads; see :class:`app.ports.record_source.RecordSource`.

    Args:
        stream: The agent's stream, of an app on our transport; its channel gets whole batches from now on.
    """

    def __init__(self, stream: Any) -> None:
        self._app = stream.app
        self._queue = stream.channel.queue
        self._app.deliver_directly(stream.channel)

    async def batches(self, *, max_records: int) -> AsyncIterator[Sequence[TrackedMessage]]:
        """Yield what has arrived, oldest first."""
        while True:
            try:
                first = _message(await self._queue.get())
            except StopAsyncIteration:  # how Faust stops an actor
                return
            most = fit_a_batch(first.lane.frontier, max_records)
            taken = [first, *map(_message, channel_queue.take_more(self._queue, most - 1))]
            batch = [message for message in taken if message.lane.frontier.may_begin(message)]
            if batch:
                yield batch

    def ack(self, message: TrackedMessage, /) -> bool:
        """Finish a record."""
        message.acked = True
        return super().ack(message)

    async def crash(self, error: BaseException, /) -> None:
        """End the process with an error."""
        await self._app.crash(error)


def _message(item: Any) -> TrackedMessage:
    """Return the message; what arrived before the channel was read in batches came as an event."""
    message: TrackedMessage = getattr(item, "message", item)
    return message
