"""What is private in Faust and mode and we override or read: nothing else reaches into it.

Our consumer, app and transport are subclasses beside it, which fill in methods that Faust calls. What a new version
changes of either is seen by ``tests/adapters/kafka/test_private_parts.py``.
"""

import asyncio
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from inspect import isawaitable
from typing import Any

from app.adapters.kafka.faust_parts import TP, FaustRecovery, Service, TableManager, driver


def channels_by_partition(app: Any) -> Mapping[TP, AbstractSet[Any]]:
    """Return which channels of an app's agents and tables take what comes of a partition; it is kept up to date."""
    channels: Mapping[TP, AbstractSet[Any]] = app.topics._tp_index
    return channels


class _Ended(asyncio.Event):
    """That a recovery has ended: true from then on until the next one begins."""

    def clear(self) -> None:
        """Do nothing: Faust says in one go that a recovery has ended, and that it has not."""

    def begin(self) -> None:
        """Another recovery begins."""
        super().clear()


class Recovery(FaustRecovery):
    """Faust's recovery of tables, whose end is noticed also by who waits for it a moment later.

    One task reads the changelog, and sets an event with its last record, which it clears before the next; another
    waits for that event once it has seen to it that there is something to read. Where there was little to read the
    first is done before the second waits: it waited for ever, and no event of the worker's partitions was matched
    until the watchdog ended it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._signal_recovery_end: _Ended = _Ended()

    def _set_recovery_started(self) -> None:
        super()._set_recovery_started()
        self._signal_recovery_end.begin()


class Tables(TableManager):
    """Faust's tables with that recovery, and without the second that it gives a program to make tables in.

    Ours are made before it starts; every worker begins with that second, and without tables, too.
    """

    _recovery: Recovery | None

    @property
    def recovery(self) -> Recovery:
        """What reads the changelogs."""
        if self._recovery is None:
            self._recovery = Recovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_start(self) -> None:
        """Take the tables as they are, and begin to read their changelogs."""
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()


class OnOwnLoop(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread without the thread: an ordinary service, whose calls are awaited where they are made."""

    wait_for_shutdown = False

    maybe_start = Service.maybe_start
    start = Service.start
    stop = Service.stop
    crash = Service.crash
    set_shutdown = Service.set_shutdown
    # mode's thread overrides these for two loops
    _new_shutdown_event = Service._new_shutdown_event
    _stopped_set = Service._stopped_set
    _stop_children = Service._stop_children
    _stop_futures = Service._stop_futures
    _stop_exit_stacks = Service._stop_exit_stacks

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
