"""Our Faust transport: subclasses of Faust's transport, consumer and app, so that nothing is lost.

Why each of them is needed: docs/design.md#3-delivery.
The consumer is in ``consumer.py``, its side towards the group in ``group_client.py``, the way of a record to its agent
in ``drain.py``. What each corrects is held by a test in ``tests/integration/transport``.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cached_property
from typing import Any
from weakref import WeakSet

from app.adapters.kafka.connecting import login_options
from app.adapters.kafka.consumer import Consumer
from app.adapters.kafka.crash_guard import CrashGuard, NoGuard
from app.adapters.kafka.faust_parts import (
    FaustApp,
    FaustStream,
    FlowControlEvent,
    OAuthCredentials,
    SASLCredentials,
    SSLCredentials,
    driver,
)
from app.adapters.kafka.pacing import FOLLOWING, Gap
from app.domain.kafka_connection import KafkaConnection, PasswordLogin
from app.services.operations.background import keep_running


def credentials(connection: KafkaConnection) -> Any:
    """Return what Faust takes for every client that it makes; None where Kafka is open.

    Raises:
        SettingsError: A certificate's file cannot be used.
    """
    options = login_options(connection)
    context = options.get("ssl_context")
    if isinstance(connection.login, PasswordLogin):
        return SASLCredentials(
            username=connection.login.username,
            password=connection.login.password,
            mechanism=connection.mechanism,
            ssl_context=context,
        )
    if connection.login is not None:
        return OAuthCredentials(oauth_cb=options["sasl_oauth_token_provider"], ssl_context=context)
    return SSLCredentials(context) if context else None


class Transport(driver.Transport):
    """Creates our consumer.

    Attributes:
        fetch_min_bytes: The broker answers a fetch once it has as many bytes.
        fetch_max_wait_ms: Milliseconds after which it answers with fewer.
        fetch_gap: Time between the starts of two fetches.
        leaving: The process is stopping, and leaves the group.
    """

    Consumer = Consumer
    fetch_min_bytes = 1
    fetch_max_wait_ms = 100
    fetch_gap = FOLLOWING
    leaving = False


class FlowControl(FlowControlEvent):
    """Faust's flow control, which does not empty the channels when it resumes.

    Faust resumes several times during a recovery; what has been fetched in between, say a change of the workflow
    table, would be lost. Channels are emptied where partitions are given up, and the frontier rejects what is left.
    """

    def resume(self) -> None:
        """Let records flow."""
        self._suspend.clear()
        self._resume.set()


class Stream(FaustStream):
    """Faust's stream in its Python form: the Cython form acks past the consumer, and the frontier would never know."""

    def __aiter__(self) -> AsyncIterator[Any]:
        """Iterate; the iterator is noted, as Faust does, so that stopping the stream closes it."""
        iterator: AsyncIterator[Any] = self._py_aiter()
        self._active_agens.add(iterator)
        return iterator


class App(FaustApp):
    """Faust's app on our transport.

    Args:
        fetch_min_bytes: See :class:`Transport`.
        fetch_max_wait_ms: See :class:`Transport`.
        fetch_gap: See :class:`Transport`.
        buffer_bytes: What may wait unfinished, over all partitions.
    """

    def __init__(
        self,
        *args: Any,
        fetch_min_bytes: int,
        fetch_max_wait_ms: int,
        fetch_gap: Gap,
        buffer_bytes: int,
        **kwargs: Any,
    ) -> None:
        self._fetch_settings = (fetch_min_bytes, fetch_max_wait_ms, fetch_gap)
        self.buffer_bytes = buffer_bytes
        self.direct_channels: WeakSet[Any] = WeakSet()
        self.crash_guard: CrashGuard | NoGuard = NoGuard()
        self._beside: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        super().__init__(*args, Stream=Stream, **kwargs)

    def run_beside(self, name: str, task: Callable[[], Awaitable[None]]) -> None:
        """Keep a task running from the app's start, before any recovery, until its stop."""
        self._beside.append((name, task))

    async def on_start(self) -> None:
        """Start what runs beside the agents."""
        await super().on_start()
        for name, task in self._beside:
            self.add_future(keep_running(name, task))

    def deliver_directly(self, channel: Any) -> None:
        """Let a channel receive messages in batches instead of Faust's events one by one."""
        self.direct_channels.add(channel)

    def delivers_directly(self, channel: Any) -> bool:
        """Whether a channel receives messages in batches."""
        return channel in self.direct_channels

    @cached_property
    def flow_control(self) -> FlowControl:
        """Stops and resumes what flows into the channels."""
        return FlowControl(loop=self.loop)

    def _new_transport(self) -> Transport:
        transport = Transport(self.conf.broker_consumer, self)
        transport.fetch_min_bytes, transport.fetch_max_wait_ms, transport.fetch_gap = self._fetch_settings
        return transport

    def on_rebalance_end(self) -> None:
        """Let the agents' topics be fetched again."""
        super().on_rebalance_end()
        self.consumer.fetch_more()

    async def _stop_consumer(self) -> None:
        self.transport.leaving = True
        await super()._stop_consumer()
        if self._consumer is not None:
            await self._consumer.leave()
