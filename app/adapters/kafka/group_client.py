"""aiokafka's consumer as Faust drives it, on the worker's own event loop instead of in a thread.

Faust runs it in a thread of its own, which costs a hop between two loops for every fetch, commit and rebalance, and
the GIL besides: 15 to 35 % of a worker's time. Heartbeats survive without the thread as long as nothing blocks the
loop for the session timeout, and nothing may block it anyway.

It reads committed records only, looks at each commit once more just before it is sent, and leaves the group cleanly.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import isawaitable
from typing import Any

from app.adapters.kafka import odd_headers
from app.adapters.kafka.faust_parts import TP, Service, driver
from app.adapters.kafka.fetch_sessions import SessionClient
from app.adapters.kafka.pacing import paced

_LEAVE_SECONDS = 5.0


class OnOwnLoop(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread without the thread: an ordinary service, whose calls are awaited where they are made."""

    wait_for_shutdown = False

    maybe_start = Service.maybe_start
    start = Service.start
    stop = Service.stop
    crash = Service.crash
    set_shutdown = Service.set_shutdown
    _new_shutdown_event = Service._new_shutdown_event  # noqa: SLF001  # mode's thread overrides it for two loops
    _stopped_set = Service._stopped_set  # noqa: SLF001  # the same
    _stop_children = Service._stop_children  # noqa: SLF001  # the same
    _stop_futures = Service._stop_futures  # noqa: SLF001  # the same
    _stop_exit_stacks = Service._stop_exit_stacks  # noqa: SLF001  # the same

    def __init__(self, consumer: Any, *, loop: asyncio.AbstractEventLoop, beacon: Any) -> None:
        super().__init__(consumer, loop=loop, thread_loop=loop, beacon=beacon)

    async def call_thread(self, fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call at once, and await the answer if it must be awaited."""
        answer = fun(*args, **kwargs)
        return await answer if isawaitable(answer) else answer

    async def on_stop(self) -> None:
        """Stop aiokafka's consumer."""
        await self.on_thread_stop()

    def close(self) -> None:
        """Do nothing: Faust would close the client before LeaveGroup was sent."""


class GroupClient(OnOwnLoop):
    """The consumer's side that talks to the group."""

    left = False

    def _create_worker_consumer(self, transport: Any) -> Any:
        """Set what Faust hard-codes; aiokafka reads these fields when it starts, which is later."""
        odd_headers.install()
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # noqa: SLF001  # Faust offers no setting for it
        consumer._fetch_min_bytes = transport.fetch_min_bytes  # noqa: SLF001  # the same
        consumer._fetch_max_wait_ms = transport.fetch_max_wait_ms  # noqa: SLF001  # the same
        return consumer

    async def on_start(self) -> None:
        """Start aiokafka's consumer, with its fetches paced."""
        await super().on_start()
        fetcher = self._ensure_consumer()._fetcher  # noqa: SLF001  # aiokafka has no setting for it
        fetcher._client = SessionClient(fetcher._client)  # noqa: SLF001  # the same
        fetcher._proc_fetch_request = paced(fetcher._proc_fetch_request, self.transport.fetch_gap, self.consumer.flow)  # noqa: SLF001  # the same

    def highwater(self, tp: TP) -> int | None:
        """Offset up to which committed records can be read."""
        offset: int | None = self._ensure_consumer().last_stable_offset(tp)
        return offset

    @property
    def started(self) -> bool:
        """Whether aiokafka's consumer runs."""
        return self._consumer is not None

    def last_end(self, tp: TP) -> int | None:
        """Offset up to which committed records can be read, as the last fetch said; None where none said it yet."""
        state = self._state(tp)
        return None if state is None or state.lso is None or state.lso < 0 else int(state.lso)

    def take_at_most(self, records: int) -> None:
        """Bound what the next poll returns."""
        self._ensure_consumer()._max_poll_records = records  # noqa: SLF001  # no setting that can change

    def nudge(self) -> None:
        """Let a poll that is waiting look again at what has been fetched."""
        for waiter in list(self._ensure_consumer()._fetcher._fetch_waiters):  # noqa: SLF001  # aiokafka has no accessor
            if not waiter.done():
                waiter.set_result(None)

    def give_back(self, tp: TP, records: Sequence[Any]) -> None:
        """Have records fetched again that were fetched and not delivered.

        A fetch that was under way during a rebalance can return what is ours again already, from after Faust's seek.
        Where the position was set back since, there is nothing to do: this never moves the position forward.
        """
        subscription = self._ensure_consumer()._subscription  # noqa: SLF001  # no accessor
        if not records or not subscription.is_assigned(tp):
            return
        state = subscription.subscription.assignment.state_value(tp)
        if state.has_valid_position and state.position > records[-1].offset:
            self._ensure_consumer().seek(tp, records[0].offset)

    async def ends(self, tps: Iterable[TP]) -> dict[TP, int]:
        """Ask Kafka for the offset after the last record that can be read, by partition."""
        wanted = list(tps)
        if not wanted:
            await self._ensure_consumer().topics()
            return {}
        found: dict[TP, int] = await self._ensure_consumer().end_offsets(wanted)
        return found

    def positions(self, tps: Iterable[TP]) -> dict[TP, int | None]:
        """Next offset to deliver, by partition; None where it is not known yet or the partition is not assigned."""
        return {tp: _position(self._state(tp)) for tp in tps}

    def _state(self, tp: TP) -> Any:
        """Return what aiokafka knows of a partition; None where it is not assigned now."""
        subscription = self._ensure_consumer()._subscription.subscription  # noqa: SLF001  # no accessor that does not wait
        assignment = subscription and subscription.assignment
        return assignment and assignment.state_value(tp)

    async def commit_in(self, offsets: Mapping[TP, int], generation: int) -> bool:
        """Commit if the group is still in ``generation`` when the commit is about to be sent."""
        if self.left or self._ensure_consumer()._coordinator.generation != generation:  # noqa: SLF001  # no accessor
            return False
        return bool(await self._commit(offsets))

    def is_member(self) -> bool:
        """Whether the group knows this consumer, in the generation that it has now."""
        coordinator = getattr(self._consumer, "_coordinator", None)
        return not self.left and coordinator is not None and coordinator.generation > 0

    async def leave(self) -> None:
        """Leave the group now, so that the partitions need not wait for the session to time out; commits end here."""
        if self._consumer is None or self.left:
            return
        self.left = True
        coordinator = self._as_dynamic_member()
        await asyncio.wait([asyncio.ensure_future(coordinator.close())], timeout=_LEAVE_SECONDS)

    def _as_dynamic_member(self) -> Any:
        """Forget the instance id: aiokafka sends no LeaveGroup for a static member."""
        coordinator = self._ensure_consumer()._coordinator  # noqa: SLF001  # no accessor
        coordinator._group_instance_id = None  # noqa: SLF001  # no setting for it
        return coordinator

    async def on_thread_stop(self) -> None:
        """Stop; a stop that means to leave does so even if it never reached ``leave``."""
        if self.transport.leaving and self._consumer is not None:
            self._as_dynamic_member()
        await super().on_thread_stop()


def _position(state: Any) -> int | None:
    if state is None or not state.has_valid_position:
        return None
    position: int = state.position
    return position
