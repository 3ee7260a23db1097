"""aiokafka's consumer as Faust drives it, on the worker's own event loop instead of in a thread.

Faust runs it in a thread of its own, which costs a hop between two loops for every fetch, commit and rebalance, and
the GIL besides: 15 to 35 % of a worker's time. Heartbeats survive without the thread as long as nothing blocks the
loop for the session timeout, and nothing may block it anyway.

It reads committed records only, looks at each commit once more just before it is sent, and leaves the group cleanly.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from app.adapters.kafka import aiokafka_private, odd_headers
from app.adapters.kafka.container_cpu import ContainerCpu
from app.adapters.kafka.faust_parts import TP
from app.adapters.kafka.faust_private import OnOwnLoop
from app.adapters.kafka.fetch_sessions import SessionClient
from app.adapters.kafka.long_polls import Patience
from app.adapters.kafka.pacing import paced
from app.adapters.kafka.strain import Strain

_LEAVE_SECONDS = 5.0


class GroupClient(OnOwnLoop):
    """The consumer's side that talks to the group."""

    left = False

    def _create_worker_consumer(self, transport: Any) -> Any:
        """Set what Faust hard-codes; aiokafka reads these fields when it starts, which is later."""
        odd_headers.install()
        consumer = super()._create_worker_consumer(transport)
        aiokafka_private.read_committed(consumer)
        wait = transport.fetch_max_wait_ms
        aiokafka_private.fetch_by(consumer, min_bytes=transport.fetch_min_bytes, max_wait_ms=wait)
        return consumer

    async def on_start(self) -> None:
        """Start aiokafka's consumer, with its fetches paced."""
        await super().on_start()
        consumer, flow = self._ensure_consumer(), self.consumer.flow
        patience = Patience(flow, partial(aiokafka_private.all_taken, consumer))
        sessions = partial(SessionClient, hold_ms=patience.hold_ms)
        pacer = partial(paced, gap=self.transport.fetch_gap, flow=flow, strain=Strain(container=ContainerCpu()).look)
        aiokafka_private.wrap_fetches(consumer, sessions, pacer)

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
        aiokafka_private.take_at_most(self._ensure_consumer(), records)

    def nudge(self) -> None:
        """Let a poll that is waiting look again at what has been fetched."""
        aiokafka_private.wake_polls(self._ensure_consumer())

    def give_back(self, tp: TP, records: Sequence[Any]) -> None:
        """Have records fetched again that were fetched and not delivered.

        A fetch that was under way during a rebalance can return what is ours again already, from after Faust's seek.
        Where the position was set back since, there is nothing to do: this never moves the position forward.
        """
        position = _position(self._state(tp))
        if records and position is not None and position > records[-1].offset:
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
        return aiokafka_private.state_of(self._ensure_consumer(), tp)

    async def commit_in(self, offsets: Mapping[TP, int], generation: int) -> bool:
        """Commit if the group is still in ``generation`` when the commit is about to be sent."""
        if self.left or aiokafka_private.generation(self._ensure_consumer()) != generation:
            return False
        return bool(await self._commit(offsets))

    def is_member(self) -> bool:
        """Whether the group knows this consumer, in the generation that it has now."""
        return not self.left and self._consumer is not None and aiokafka_private.generation(self._consumer) > 0

    async def leave(self) -> None:
        """Leave the group now, so that the partitions need not wait for the session to time out; commits end here."""
        if self._consumer is None or self.left:
            return
        self.left = True
        await aiokafka_private.leave_group(self._consumer, within=_LEAVE_SECONDS)

    async def on_thread_stop(self) -> None:
        """Stop; a stop that means to leave does so even if it never reached ``leave``."""
        if self.transport.leaving and self._consumer is not None:
            aiokafka_private.become_dynamic(self._consumer)
        await super().on_thread_stop()


def _position(state: Any) -> int | None:
    if state is None or not state.has_valid_position:
        return None
    position: int = state.position
    return position
