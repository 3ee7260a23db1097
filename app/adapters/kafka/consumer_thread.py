"""Faust's consumer thread, corrected: read_committed, fetch settings, a last look at each commit, a clean leave."""

import asyncio
from collections.abc import Mapping
from typing import Any

from faust.transport.drivers import aiokafka as driver
from faust.types import TP

_LEAVE_SECONDS = 5.0


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]  # Faust ships no complete types
    """Runs aiokafka's consumer and is the last to look at a commit before it is sent."""

    left = False

    def _create_worker_consumer(self, transport: Any) -> Any:
        """Set what Faust hard-codes; aiokafka reads these fields when it starts, which is later."""
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # noqa: SLF001  # Faust offers no setting for it
        consumer._fetch_min_bytes = transport.fetch_min_bytes  # noqa: SLF001  # the same
        consumer._fetch_max_wait_ms = transport.fetch_max_wait_ms  # noqa: SLF001  # the same
        return consumer

    def highwater(self, tp: TP) -> int | None:
        """Offset up to which committed records can be read."""
        offset: int | None = self._ensure_consumer().last_stable_offset(tp)
        return offset

    async def commit_in(self, offsets: Mapping[TP, int], generation: int) -> bool:
        """Commit if the group is still in ``generation`` when the commit is about to be sent."""
        return bool(await self.call_thread(self._commit_in, offsets, generation))

    async def _commit_in(self, offsets: Mapping[TP, int], generation: int) -> bool:
        if self.left or self._ensure_consumer()._coordinator.generation != generation:  # noqa: SLF001  # no accessor
            return False
        return bool(await self._commit(offsets))

    async def leave(self) -> None:
        """Leave the group now, so that the partitions need not wait for the session to time out."""
        if self._consumer is not None and not self.left:
            await self.call_thread(self._leave)

    async def _leave(self) -> None:
        if self.left:
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

    def close(self) -> None:
        """Do nothing: Faust would close the client on the wrong event loop, and before LeaveGroup was sent."""
