"""What we need of aiokafka and it has no setting or accessor for: nothing else reaches into it.

The functions take an ``AIOKafkaConsumer``. Its fields are read when it starts, unless said otherwise. What a new
version of aiokafka changes here is seen by ``tests/integration/transport/test_private_parts.py``.
"""

import asyncio
from collections.abc import Callable, Iterable
from copy import copy
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from aiokafka.codec import lz4_encode
from aiokafka.errors import KafkaTimeoutError, ProducerClosed
from aiokafka.record.default_records import DefaultRecordBatchBuilder

if TYPE_CHECKING:
    from app.adapters.kafka.faust_parts import TP

# The fastest of lz4: aiokafka's 9 takes four to nine times as long, for 2 to 9 % fewer bytes.
LZ4_LEVEL: Final = 1


def read_committed(consumer: Any) -> None:
    """Before it starts: read only what its producer has committed; Faust offers no setting."""
    consumer._isolation_level = "read_committed"


def fetch_by(consumer: Any, *, min_bytes: int, max_wait_ms: int) -> None:
    """Before it starts: have the broker answer once it has so many bytes, or after so long; Faust has no setting."""
    consumer._fetch_min_bytes = min_bytes
    consumer._fetch_max_wait_ms = max_wait_ms


def wrap_fetches(consumer: Any, client: Callable[[Any], Any], fetch: Callable[[Any], Any]) -> None:
    """Once it has started: put our own around the client that its fetcher sends with, and around each of its fetches.

    Args:
        consumer: It.
        client: Given the client (``send``, and what else it has), returns what to use instead.
        fetch: Given ``async (assignment, node, request) -> bool``, returns what to call instead.
    """
    fetcher = consumer._fetcher
    fetcher._client = client(fetcher._client)
    fetcher._proc_fetch_request = fetch(fetcher._proc_fetch_request)


def all_taken(consumer: Any) -> bool:
    """Whether nothing that it has fetched waits to be taken by a poll."""
    return not consumer._fetcher._records


def hang_up(client: Any, node: Any, group: int) -> None:
    """Close an ``AIOKafkaClient``'s connection of a group to a node; the next request to it makes another."""
    connection = client._conns.get((node, group))
    if connection is not None:
        connection.close()


def take_at_most(consumer: Any, records: int) -> None:
    """At any time: bound what the next poll returns."""
    consumer._max_poll_records = records


def wake_polls(consumer: Any) -> None:
    """Let polls that wait look again at what has been fetched."""
    for waiter in list(consumer._fetcher._fetch_waiters):
        if not waiter.done():
            waiter.set_result(None)


def state_of(consumer: Any, tp: "TP") -> Any:
    """Return what it knows of a partition (``position``, ``has_valid_position``, ``lso``); None where it has it not."""
    subscription = consumer._subscription.subscription
    assignment = subscription and subscription.assignment
    return assignment and assignment.state_value(tp)


def generation(consumer: Any) -> int:
    """Return the generation of its group that it is a member of; -1 before that."""
    coordinator = getattr(consumer, "_coordinator", None)
    return -1 if coordinator is None else int(coordinator.generation)


def become_dynamic(consumer: Any) -> None:
    """Forget the instance id: for a static member no LeaveGroup is sent when it closes."""
    consumer._coordinator._group_instance_id = None


async def leave_group(consumer: Any, *, within: float) -> None:
    """Leave the group now, and end all commits; its fetches go on."""
    become_dynamic(consumer)
    await asyncio.wait([asyncio.ensure_future(consumer._coordinator.close())], timeout=within)


async def learn_of(consumer: Any, topics: Iterable[str]) -> None:
    """Ask for the metadata of several topics at once; without, each is asked for by itself."""
    await consumer._client.set_topics(topics)


def compress_quickly() -> None:
    """Have every producer of this process compress at our level; a second call changes nothing."""
    vars(import_module(DefaultRecordBatchBuilder.__module__))["lz4_encode"] = partial(lz4_encode, level=LZ4_LEVEL)


class WaitingBatches:
    """The batches of a producer that have not been sent, one after the other by partition.

    Records join the last one of their partition, as with ``send``, but have no future and no checks each.

    Args:
        producer: An ``AIOKafkaProducer`` that has started, serializes nothing, and lets no batch linger.
    """

    def __init__(self, producer: Any) -> None:
        self._batches = producer._message_accumulator
        self._within = producer._request_timeout_ms / 1000

    @property
    def died_of(self) -> BaseException | None:
        """What ended the task that sends them: it sends nothing any more, and all that waited has failed with it."""
        error: BaseException | None = self._batches._exception
        return error

    def join(self, place: Any, key: bytes | None, value: bytes | None, headers: Any) -> "asyncio.Future[Any] | None":
        """Add a record; returns what its batch comes to, which others wait for too, or None where there is no room.

        Args:
            place: Topic and partition, as aiokafka has them.
            key: Its key.
            value: Its value.
            headers: A list of pairs.

        Raises:
            ProducerClosed: It has been stopped.
            KafkaError: The task that sends has died; see ``died_of``.
        """
        batches = self._batches
        if batches._closed:
            raise ProducerClosed
        if self.died_of is not None:
            raise copy(self.died_of)
        waiting = batches._batches.get(place)
        batch = waiting[-1] if waiting else self._open(place)
        if batch._builder.append(timestamp=None, key=key, value=value, headers=headers) is None:
            return None
        future: asyncio.Future[Any] = batch.future
        return future

    def _open(self, place: Any) -> Any:
        batch = self._batches._append_batch(self._batches.create_builder(), place)
        batch.future.add_done_callback(_look_at)
        return batch

    async def room(self, place: Any) -> None:
        """Wait until the last batch of a partition is under way.

        Raises:
            KafkaTimeoutError: It was not in the time that a record may take.
            KafkaError: It was given up.
        """
        waiting = self._batches._batches.get(place)
        if not waiting:
            return
        batch = waiting[-1]
        await batch.wait_drain(self._within)
        if not batch._drain_waiter.done():
            raise KafkaTimeoutError


def _look_at(future: "asyncio.Future[Any]") -> None:
    """Take note of an error, which asyncio would otherwise speak of where nobody waits any more."""
    if not future.cancelled():
        future.exception()
