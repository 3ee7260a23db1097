"""The consumer of our transport: commits only the frontier, gives partitions up cleanly, delivers in batches."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from time import monotonic
from typing import Any

from app.adapters.kafka import channel_queue, held_metrics
from app.adapters.kafka.budget import MIB, Budget
from app.adapters.kafka.crash_guard import CrashGuard, NoGuard
from app.adapters.kafka.drain import Drain
from app.adapters.kafka.faust_parts import TP, driver
from app.adapters.kafka.faust_private import channels_by_partition
from app.adapters.kafka.frontier import Frontier
from app.adapters.kafka.group_client import GroupClient
from app.adapters.kafka.lag import watch_lag
from app.adapters.kafka.messages import TrackedMessage
from app.adapters.kafka.pacing import Flow
from app.adapters.kafka.stall import Reading
from app.domain.errors import SupersededError

_CRASH_PATIENCE = 5.0
_POLL_BYTES = 8 * MIB  # about so much at once, however small it was while it was compressed
_FEWEST_RECORDS = 16
_LOOK_SECONDS = 0.1  # how soon a paused partition goes on, where nothing else is fetched


class Consumer(driver.Consumer):
    """Faust's consumer, corrected.

    ``frontier`` knows what is finished, ``budget`` which partitions hold too much; ``epoch`` counts the assignments.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._idle = asyncio.Event()
        self.frontier = Frontier(monotonic, self._idle.set)
        self.wake = asyncio.Event()
        self.flow = Flow()
        self.epoch = 0
        self._asked: set[TP] = set()
        self._partitions = 0
        self._ends: dict[TP, int] = {}
        super().__init__(*args, **kwargs)
        self.budget = Budget(self.app.buffer_bytes)
        held_metrics.watch(self.frontier, self.budget)
        watch_lag(self)

    def _new_consumer_thread(self) -> GroupClient:
        return GroupClient(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: Any) -> TrackedMessage:
        return TrackedMessage(tp, record, self.app.consumer_generation_id)

    # -- committing: only what is behind the frontier

    def ack(self, message: TrackedMessage) -> bool:
        """Finish a record."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        if not self.app.topics.acks_enabled_for(message.topic):
            return False
        return self.frontier.done(message)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterable[TP]:
        return [tp for tp in self.frontier.partitions() if topics is None or tp in topics or tp.topic in topics]

    def _new_offset(self, tp: TP) -> int | None:
        return self.frontier.committable(tp, self.app.consumer_generation_id)

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002  # Faust's signature
        """Commit, and remember only what the group coordinator accepted."""
        assigned = self.assignment()
        ours = {tp: offset for tp, offset in offsets.items() if tp in assigned}
        if not ours or not await self._thread.commit_in(ours, self.app.consumer_generation_id):
            return False
        self._committed_offset.update(ours)
        self.app.tables.on_commit(ours)
        self.app.monitor.on_tp_commit(ours)
        return True

    # -- giving partitions up

    def stop_flow(self) -> None:
        """Stop delivering, and discard what has not begun: the first, synchronous step of every revocation and stop."""
        super().stop_flow()
        self.frontier.discard_unstarted()

    async def wait_empty(self) -> None:
        """Wait for what has begun, then commit. After a crash what has begun may never end: wait a little only."""
        if self._thread.left:
            return
        self.frontier.discard_unstarted()
        started = monotonic()
        while self.frontier.begun:
            if self.app.crashed and monotonic() - started > _CRASH_PATIENCE:
                self.log.warning("crashed: leaving %d records unfinished and unacked", self.frontier.begun)
                break
            self._idle.clear()
            try:
                await asyncio.wait_for(self._idle.wait(), 1.0)
            except TimeoutError:
                self.log.info("waiting for %d records that have begun", self.frontier.begun)
        await self.maybe_wait_for_commit_to_finish()
        await self.commit_and_end_transactions()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Give the partitions up; Faust would return at once while stopping, with commands still running."""
        self.stop_flow()
        await super().on_partitions_revoked(revoked)
        if self.app.should_stop:
            await self.wait_empty()
        await self.guard.let_go(self.app.crash_reason)
        self._new_epoch()

    async def perform_seek(self) -> None:
        """Seek to what is committed, and take hold of the agents' partitions there."""
        await super().perform_seek()
        ours = [tp for tp in self.assignment() if not self._is_changelog_tp(tp)]
        frontiers = {tp: -1 if (at := self._read_offset[tp]) is None else at for tp in ours}
        try:
            await self.guard.hold(frontiers, self._thread.ends)
        except SupersededError as error:
            await self.app.crash(error)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Begin a new assignment, which a rejoin may give the same generation number as the last."""
        self._new_epoch()
        self._partitions = len(assigned)
        await super().on_partitions_assigned(assigned, generation_id)

    def _new_epoch(self) -> None:
        self.epoch += 1
        self.flow.stir()
        self.frontier.forget()
        self.budget.forget()
        self._buffered_partitions.clear()
        for channel in self.app.direct_channels:
            channel_queue.forget_waiting(channel.queue)

    @property
    def guard(self) -> CrashGuard | NoGuard:
        """What keeps this process from dying for ever of the same record."""
        guard: CrashGuard | NoGuard = self.app.crash_guard
        return guard

    async def leave(self) -> None:
        """Leave the group."""
        await self.guard.let_go(self.app.crash_reason)
        await self._thread.leave()

    # -- delivering

    def give_back(self, tp: TP, records: Sequence[Any]) -> None:
        """Have records fetched again that were not delivered."""
        self._thread.give_back(tp, records)

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            await Drain(self).run(fetcher)
        except (asyncio.CancelledError, *self.consumer_stopped_errors):
            if not self.app.should_stop:
                raise

    async def poll(self, partitions: frozenset[TP], seconds: float) -> Mapping[TP, Sequence[Any]]:
        """Take fetched records of these partitions; waits for the first at most ``seconds``."""
        self._asked = set(partitions)
        if self.budget.paused:
            seconds = min(seconds, _LOOK_SECONDS)
        most = min(int(_POLL_BYTES / self.frontier.typical), self.app.conf.broker_max_poll_records)
        self._thread.take_at_most(max(most, _FEWEST_RECORDS))
        records: Mapping[TP, Sequence[Any]] = await self._getmany(self._asked, seconds)
        self.flow.add(sum(map(len, records.values())))
        return records

    def fetch_more(self) -> None:
        """Take in partitions that may be fetched again, even if a poll of the others is already waiting."""
        self.wake.set()
        more = self.fetchable()
        if self._asked and not more <= self._asked:
            self._asked |= more
            self._thread.nudge()

    def fetchable(self) -> frozenset[TP]:
        """Partitions to fetch from now.

        Agents' topics wait for the end of a rebalance: until then Faust seeks, and clears the agents' channels. A
        partition that holds too much unfinished waits until it holds less.
        """
        active = self._get_active_partitions()
        if self.app.rebalancing:
            return frozenset(tp for tp in active if self._is_changelog_tp(tp))
        self._review_budget()
        return frozenset(tp for tp in active if self._allowed(tp)) - self.budget.paused

    def _allowed(self, tp: TP) -> bool:
        return self.guard.allows(tp) or self._is_changelog_tp(tp)

    def changelogs(self) -> frozenset[TP]:
        """Partitions of tables' changelogs to fetch from now."""
        return frozenset(tp for tp in self._get_active_partitions() if self._is_changelog_tp(tp))

    def _review_budget(self) -> None:
        before = self.budget.paused
        self.budget.review(self.frontier.held(), self._partitions)
        for tp in self.budget.paused - before:
            self.log.info("%s is paused: it holds most of what waits unfinished in this worker", tp)

    async def reading(self) -> Reading:
        """Ask Kafka where the partitions end, and note how far we are.

        Raises:
            KafkaError: Kafka does not answer.
        """
        watched = [tp for tp in self.assignment() if self._ought_to_move(tp)]
        # Of the others too, in the same request: for the metrics of those that are not fetched from.
        self._ends = await self._thread.ends(self.assignment())
        ends = {tp: self._ends[tp] for tp in watched if tp in self._ends}
        return Reading(self._thread.positions(watched), ends, self.frontier.oldest())

    def agents_partitions(self) -> list[TP]:
        """Return the partitions that are assigned to agents; other threads may ask."""
        assigned = list(self.assignment()) if self._thread.started else []
        return [tp for tp in assigned if not self._is_changelog_tp(tp)]

    def end_of(self, tp: TP) -> int | None:
        """Return the offset after the last record that can be read, as far as it is known without asking Kafka."""
        known = [end for end in (self._thread.last_end(tp), self._ends.get(tp)) if end is not None]
        return max(known, default=None)

    def position_of(self, tp: TP) -> int | None:
        """Return the next offset to deliver; None where it is not known yet."""
        position: int | None = self._thread.positions([tp])[tp]
        return position

    def standing(self) -> int | None:
        """How many of the agents' partitions are assigned; None while this is no member of the group, or not yet."""
        if self.app.rebalancing or not self._thread.is_member():
            return None
        return sum(not self._is_changelog_tp(tp) for tp in self.assignment())

    def _ought_to_move(self, tp: TP) -> bool:
        if self._is_changelog_tp(tp):
            return tp not in self._paused_partitions
        # A rebalance waits for what has begun, which may take as long as a command may be held.
        giving_up = self.app.rebalancing and self.frontier.begun > 0
        paused = giving_up or tp in self.budget.paused
        return not (self.app.in_recovery or paused or tp in self._buffered_partitions or self.guard.trials)

    def is_news(self, tp: TP, offset: int) -> bool:
        """Whether a table's changelog record was not delivered yet; recovery reads some of them twice."""
        seen = self._read_offset[tp]
        return seen is None or offset >= seen

    def saw(self, tp: TP, offset: int) -> None:
        """A table's changelog record was delivered."""
        self._read_offset[tp] = offset

    def on_channel_full(self, channel: Any) -> None:
        """Fetch nothing more for an agent whose buffer is nearly full."""
        for tp, channels in channels_by_partition(self.app).items():
            if channel in channels:
                self.on_buffer_full(tp)

    def on_channel_drained(self, channel: Any) -> None:
        """Fetch again for an agent whose buffer has drained."""
        for tp, channels in channels_by_partition(self.app).items():
            if channel in channels:
                self.on_buffer_drop(tp)

    def on_buffer_drop(self, tp: TP) -> None:
        """Fetch from a partition again."""
        super().on_buffer_drop(tp)
        self.fetch_more()

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Fetch from partitions again."""
        super().resume_partitions(tps)
        self.fetch_more()

    async def verify_all_partitions_active(self) -> None:
        """Do nothing: Faust's check reads sensors that batches do not feed; the watchdog does this job.

        For each partition it would wait for a turn of the loop first.
        """
