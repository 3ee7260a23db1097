"""A worker on the broker in memory: the agents of one process, each with its source.

    worker = LocalWorker(broker, "group")
    worker.add(agent, "work")
    async with worker:
        ...

Agents are the same functions that a Faust app gets. What is finished, dropped and paused is judged by the transport's
own frontier and budget; only Kafka is another.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self

from app.adapters.kafka.budget import MOST_BYTES, Budget
from app.adapters.kafka.frontier import Frontier
from app.adapters.kafka.frontier_ledger import FrontierLedger, fit_a_batch
from app.adapters.kafka.local_broker import LocalBroker, LocalRecord, Place
from app.ports.record_source import RecordSource

AgentFunction = Callable[[RecordSource[Any]], Awaitable[None]]

# What an agent has to end in once its records have: it may be waiting for something that never comes.
_END_SECONDS: Final = 1.0


class LocalWorker:
    """One member of a group, and the agents that it runs; an agent that raises is a crash, as with Faust.

    Args:
        broker: Where the topics are.
        group: The consumer group's name.
        most_bytes: What may wait unfinished, over all partitions.

    Attributes:
        crash_reason: What the worker has died of, if it has; its agents get nothing more.
    """

    def __init__(self, broker: LocalBroker, group: str, *, most_bytes: int = MOST_BYTES) -> None:
        self._broker = broker
        self._group = broker.group(group)
        self._idle = asyncio.Event()
        self.frontier = Frontier(monotonic, self._idle.set)
        self.budget = Budget(most_bytes)
        self.crash_reason: BaseException | None = None
        self._agents: list[tuple[AgentFunction, LocalSource]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._positions: dict[Place, int] = {}
        self._generation = 0
        self._woken = asyncio.Event()
        self._ended = False

    def add(self, agent: AgentFunction, *topics: str) -> None:
        """Have an agent run, once the worker starts; no other agent of this worker reads the same topics."""
        self._agents.append((agent, LocalSource(self, frozenset(topics))))

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._run(agent, source)) for agent, source in self._agents]
        await self._group.join(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the group when what has begun is finished, and end the agents."""
        await self._group.leave(self)
        self._ended = True
        self.wake()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=_END_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def crash(self, error: BaseException) -> None:
        """Die of an error: nothing more begins, and what has begun is not waited for."""
        self.crash_reason = self.crash_reason or error
        self.close()
        self._idle.set()

    async def _run(self, agent: AgentFunction, source: "LocalSource") -> None:
        try:
            await agent(source)
        except Exception as error:  # noqa: BLE001 - kept as what the worker died of
            await self.crash(error)

    # -- what the group asks

    @property
    def topics(self) -> frozenset[str]:
        """What the agents read."""
        return frozenset().union(*(source.topics for _, source in self._agents))

    def wake(self) -> None:
        """Let the agents' sources look again."""
        self._woken.set()

    def close(self) -> None:
        """Begin nothing more; what has not begun is dropped."""
        self._positions = {}
        self.frontier.discard_unstarted()

    async def hand_over(self) -> None:
        """Wait until what has begun is finished, unless it never may be; then forget the assignment."""
        while self.frontier.begun and self.crash_reason is None:
            self._idle.clear()
            await self._idle.wait()
        self.frontier.forget()
        self.budget.forget()

    def assign(self, positions: dict[Place, int], generation: int) -> None:
        """Begin a new assignment."""
        if self.crash_reason is None:
            self._positions, self._generation = positions, generation
            self.wake()

    # -- what the sources ask

    def take(self, topics: frozenset[str], most: int) -> list[LocalRecord]:
        """Return what has arrived on some topics, of each partition in order."""
        self.budget.review(self.frontier.held(), len(self._positions))
        found: list[LocalRecord] = []
        room = fit_a_batch(self.frontier, most)
        for place in [place for place in self._positions if place.topic in topics and place not in self.budget.paused]:
            found += self._fetch(place, room - len(found))
            if len(found) == room:
                break
        return found

    def _fetch(self, place: Place, most: int) -> list[LocalRecord]:
        first = self._positions.pop(place)
        kept = self._broker.read(place, first, most)
        records = [LocalRecord(place, offset, one) for offset, one in enumerate(kept, first)]
        self._positions[place] = first + len(records)  # now the last: another partition has the next turn
        if records:
            self.frontier.fetched(place, self._generation, records)
        return records

    async def news(self) -> bool:
        """Wait until there may be something to take; False: never again."""
        if not self._ended:
            await self._woken.wait()
        return not self._ended

    def about_to_look(self) -> None:
        """Note that what came before is seen now."""
        self._woken.clear()

    def done(self, record: LocalRecord) -> None:
        """Commit what is finished of a record's partition; a paused one may go on."""
        if record.lane.offset is not None and not record.lane.dead:
            self._group.committed[record.place] = record.lane.offset
        self.wake()


class LocalSource(FrontierLedger[LocalRecord]):
    """What one agent of a local worker reads; see :class:`app.ports.record_source.RecordSource`."""

    def __init__(self, worker: LocalWorker, topics: frozenset[str]) -> None:
        self._worker = worker
        self.topics = topics

    async def batches(self, *, max_records: int) -> AsyncIterator[Sequence[LocalRecord]]:
        """Yield what has arrived."""
        going = True
        while going:
            self._worker.about_to_look()
            batch = self._worker.take(self.topics, max_records)
            if batch:
                yield batch
                await asyncio.sleep(0)  # an agent that never waits must not keep the others from their turn
            else:
                going = await self._worker.news()

    def ack(self, message: LocalRecord, /) -> bool:
        """Finish a record."""
        counts = super().ack(message)
        self._worker.done(message)
        return counts

    async def crash(self, error: BaseException, /) -> None:
        """End the worker with an error."""
        await self._worker.crash(error)
