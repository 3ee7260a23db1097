"""The drain loop: takes fetched records to the agents' channels, at as little cost per record as is safe.

Channels whose agent reads from a :class:`~app.adapters.kafka.faust_source.FaustSource` get messages whole batches at a
time, without Faust's per-record task, lock, event and sensors. The rest (tables' changelogs, ordinary streams) takes
Faust's own way.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from app.adapters.kafka import channel_queue
from app.adapters.kafka.faust_parts import TP
from app.adapters.kafka.faust_private import channels_by_partition
from app.adapters.kafka.messages import TrackedMessage
from app.adapters.kafka.probation import Probation

_POLL_SECONDS = 1.0
_YIELD_EVERY = 100


class Drain:
    """One run of the drain loop of one consumer."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self._app = consumer.app
        self._frontier = consumer.frontier
        self._index = channels_by_partition(consumer.app)
        self._epoch = 0

    async def run(self, fetcher: Any) -> None:
        """Deliver until the consumer or the fetcher stops."""
        consumer = self._consumer
        while not (consumer.should_stop or fetcher.should_stop):
            await asyncio.sleep(0)
            if not consumer.flow_active:
                await consumer.wait(consumer.can_resume_flow)
                continue
            if consumer.guard.trials:
                self._epoch = consumer.epoch
                await Probation(self, consumer, lambda: bool(fetcher.should_stop)).run()
                continue
            await self.deliver(self._untried(await self.fetch()))

    def is_current(self) -> bool:
        """Whether what was fetched is still ours to deliver."""
        consumer = self._consumer
        return bool(consumer.flow_active and consumer.epoch == self._epoch and not consumer.should_stop)

    def _untried(self, records: Mapping[TP, Sequence[Any]]) -> Mapping[TP, Sequence[Any]]:
        """Give back what was put on trial while it was waited for; it must be marked first."""
        return self._only(self._consumer.changelogs(), records) if self._consumer.guard.trials else records

    async def fetch(self) -> Mapping[TP, Sequence[Any]]:
        """Wait for records of what may be fetched; what others a poll from before brings is given back."""
        records = await self._poll()
        self._epoch = self._consumer.epoch  # what aiokafka hands out belongs to the assignment of this moment
        return self._only(self._consumer.fetchable(), records) if self._consumer.guard.trials else records

    def _only(self, allowed: frozenset[TP], records: Mapping[TP, Sequence[Any]]) -> Mapping[TP, Sequence[Any]]:
        """Return the records of some partitions, and give the others' back."""
        for tp in records.keys() - allowed:
            self.give_back(tp, records[tp])
        return {tp: batch for tp, batch in records.items() if tp in allowed}

    async def _poll(self) -> Mapping[TP, Sequence[Any]]:
        consumer = self._consumer
        consumer.wake.clear()
        active = consumer.fetchable()
        if active:
            found: Mapping[TP, Sequence[Any]] = await consumer.poll(active, _POLL_SECONDS)
            return found
        with suppress(TimeoutError):  # then look whether to stop
            await asyncio.wait_for(consumer.wake.wait(), _POLL_SECONDS)
        return {}

    async def deliver(self, records: Mapping[TP, Sequence[Any]]) -> None:
        """Take records to their agents, or give them back where they are not ours any more."""
        for tp, batch in records.items():
            channel = self._direct_channel(tp)
            if not self.is_current():
                self.give_back(tp, batch)
            elif channel is None:
                await self._deliver_one_by_one(tp, batch)
            else:
                self._deliver_directly(channel, tp, batch)

    def _direct_channel(self, tp: TP) -> Any:
        if not self._app.flow_control.is_active():
            return None
        channels = self._index.get(tp) or ()
        channel = next(iter(channels), None)
        return channel if len(channels) == 1 and self._app.delivers_directly(channel) else None

    def _deliver_directly(self, channel: Any, tp: TP, batch: Sequence[Any]) -> None:
        generation = self._app.consumer_generation_id
        messages = [TrackedMessage(tp, record, generation) for record in batch]
        self._frontier.fetched(tp, generation, messages)
        queue = channel.queue
        channel_queue.put_many(queue, messages)
        if channel_queue.is_nearly_full(queue):
            self._consumer.on_channel_full(channel)
            channel_queue.when_drained(queue, partial(self._consumer.on_channel_drained, channel))

    async def _deliver_one_by_one(self, tp: TP, batch: Sequence[Any]) -> None:
        acked = self._app.topics.acks_enabled_for(tp.topic)
        for count, record in enumerate(batch, 1):
            if count % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
            if not self.is_current():
                self.give_back(tp, batch[count - 1 :])
                return
            if acked:
                await self._deliver_tracked(tp, record)
            elif self._consumer.is_news(tp, record.offset):
                await self._call_back(tp, self.message(tp, record))
                self._consumer.saw(tp, record.offset)

    def give_back(self, tp: TP, batch: Sequence[Any]) -> None:
        """Have records fetched again."""
        self._consumer.give_back(tp, batch)

    def message(self, tp: TP, record: Any) -> TrackedMessage:
        """Return the message of a record."""
        return TrackedMessage(tp, record, self._app.consumer_generation_id)

    async def _deliver_tracked(self, tp: TP, record: Any) -> None:
        message = self.message(tp, record)
        self._frontier.fetched(tp, message.generation_id, [message])
        await self._call_back(tp, message)

    async def _call_back(self, tp: TP, message: TrackedMessage) -> None:
        consumer = self._consumer
        full = any(channel.queue.full() for channel in self._index.get(tp, ()))
        if self._app.flow_control.is_active() and not full:
            await consumer.callback(message)
        else:  # only what may block needs the two tasks that a wait for either costs
            await consumer.wait_first(consumer.callback(message), consumer.suspend_flow.wait())
