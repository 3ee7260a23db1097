"""The sender on Kafka: what everything outside of Faust's apps produces with (API, relay, scheduler, command line)."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from app.adapters.kafka import aiokafka_private
from app.adapters.kafka.connecting import client_options
from app.adapters.kafka.producing import Producing
from app.adapters.kafka.reachability import unreachable
from app.domain.errors import UnreachableError
from app.domain.kafka_connection import KafkaConnection
from app.ports import Record, Refusal, Sender
from app.topics import MAX_RECORD_BYTES

log = logging.getLogger(__name__)

_START_WITHIN_S: Final = 8.0
_PING_WITHIN_S: Final = 2.0
_BATCH_BYTES: Final = 128 * 1024


class KafkaSender(Sender):
    """Produces with acks=all; use it as an async context manager, or ``start`` and ``stop`` it.

    Not idempotent on purpose: aiokafka then never gives a batch up, so a caller would hang for as long as the broker
    is down. A repeated record does no harm here (events and commands carry their ids), and order holds without it,
    because aiokafka has one request in flight per partition.

    A producer of aiokafka's can die of an error of its own: all that waits fails at once, and it takes nothing more,
    ever. The next call makes another.

    Args:
        connection: Where Kafka is and how it lets us in.
        client_id: Name in the broker's logs.
        confirm_within_ms: How long Kafka may take to confirm a record.
        make: Makes a producer of aiokafka's.
    """

    def __init__(
        self,
        connection: KafkaConnection,
        *,
        client_id: str = "headrace",
        confirm_within_ms: int = 10_000,
        make: Callable[..., Any] = AIOKafkaProducer,
    ) -> None:
        self._connection = connection
        self._client_id = client_id
        self._confirm_within_ms = confirm_within_ms
        self._make = make
        self._renewing = asyncio.Lock()
        self._producer: Any = None
        self._producing: Producing | None = None

    async def start(self) -> None:
        """Connect.

        Raises:
            UnreachableError: No broker answered within 8 seconds.
        """
        aiokafka_private.compress_quickly()
        producer = self._make(
            **client_options(self._connection),
            client_id=self._client_id,
            acks="all",
            compression_type="lz4",
            linger_ms=0,
            max_batch_size=_BATCH_BYTES,
            max_request_size=MAX_RECORD_BYTES,
            request_timeout_ms=self._confirm_within_ms,
        )
        try:
            # Not wait_for: Python 3.11's loses a cancellation that comes as the producer gets ready, and then the
            # process does not end at SIGTERM.
            async with asyncio.timeout(_START_WITHIN_S):
                await producer.start()
        except (KafkaError, TimeoutError, OSError) as error:
            await producer.stop()
            raise await unreachable(self._connection, error) from error
        except asyncio.CancelledError:
            await producer.stop()
            raise
        self._producer, self._producing = producer, Producing(producer)

    async def stop(self) -> None:
        """Send what is buffered and disconnect; a second call does nothing."""
        async with self._renewing:
            producer, self._producer, self._producing = self._producer, None, None
        if producer is not None:
            await producer.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def ping(self) -> None:
        """Ask a broker for its metadata.

        Raises:
            UnreachableError: None answered.
        """
        try:
            async with asyncio.timeout(_PING_WITHIN_S):
                answered = await (await self._alive()).answers()
        except TimeoutError:
            answered = False
        if not answered:
            raise UnreachableError(f"Kafka does not answer at {self._connection}")

    async def answers(self) -> str:
        """As ``ping``, for readiness.

        Raises:
            UnreachableError: None answered.
        """
        await self.ping()
        return "answers"

    async def deliver(self, records: Sequence[Record]) -> Sequence[Refusal | None]:
        """Produce records in order; see :class:`app.ports.Sender`."""
        return await (await self._alive()).deliver(records)

    async def _alive(self) -> Producing:
        """Return what delivers; in place of a producer that has died, another one."""
        if self._running().died:
            async with self._renewing:
                if self._running().died:
                    await self._renew()
        return self._running()

    async def _renew(self) -> None:
        dead = self._producer
        await self.start()
        log.warning("the Kafka producer had died, and has a successor", extra={"client_id": self._client_id})
        await dead.stop()

    def _running(self) -> Producing:
        if self._producing is None:
            raise UnreachableError("The Kafka producer is not running")
        return self._producing
