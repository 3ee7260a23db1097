"""The roles of the simulation: what ships, with the simulation's Kafka, Postgres and world at its ports."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from agents.reading import Agent, run_batches, run_leased
from app.actions.base import Ports
from app.actions.registry import REGISTRY
from app.adapters.kafka.local_broker import LocalBroker
from app.domain.breaker import BreakerPolicy
from app.domain.loops import RunBudget
from app.domain.retry import RetryPolicy
from app.execution.breakers import Breakers
from app.execution.executors import LeasedOnly, Shared, executor_of
from app.execution.guard import guarded, guarded_in_parts, lettered
from app.execution.leased import LeasedExecutor
from app.execution.log_writing import DeadLetterSink, Sink, stay_in_kafka
from app.execution.matching import Matcher
from app.execution.parts import InParts
from app.execution.routing import Router
from app.execution.timing import Timing
from app.ports import Receipts
from app.ports.execution_log import DeadLetterStore, LogWriter
from app.ports.record_source import RecordSource
from app.services.delivery.dead_letters import DeadLetters
from app.services.delivery.sending import Delivery
from app.services.messages.message_text import TemplateTexts
from app.services.scheduling.timers import TimerLoop
from app.services.workflows.index import WorkflowIndex
from app.topics import Topics
from schemas.workflow import Revision
from tests.simulation.chaos import Chaos
from tests.simulation.kafka import SimSender, SimWorker
from tests.simulation.outside import (
    Log,
    Shop,
    SimBreakers,
    SimEntries,
    SimHttp,
    SimLog,
    SimReceipts,
    SimTimers,
    TimerTable,
)
from tests.simulation.process import Process
from tests.simulation.virtual_time import now
from tests.support.breakers import MemoryBreakers
from tests.support.current import current_over
from tests.support.entries import MemoryEntries
from tests.support.fake_mailer import FakeMailer
from tests.support.fake_rights import FixedRights
from tests.support.quotas import no_holding, no_quota
from tests.support.receipts import MemoryReceipts, ReceiptStore

TOPICS: Final = Topics("s.")
LEASE: Final = timedelta(seconds=12)
_PART_BYTES: Final = 4000  # two or three records, so that parts end within events
ATTEMPT_S: Final = 5.0
EXECUTORS: Final = {"executor-system": "webhook", "executor-crm": "apply_tag", "executor-workflow": "delay"}
ROLES: Final = ("matcher", *EXECUTORS, "sink", "scheduler")
_KNOWN: Final = frozenset(EXECUTORS.values())
_RETRIES: Final = RetryPolicy(max_retries=6, initial_delay=1.0, longest_hold=3.0, budget=600.0)
_SLOTS: Final = 8
_LANE: Final = "normal"
# Opens after a few failures in a row, and is probed soon; what waits for it waits longer than a run has faults.
BREAKERS: Final = BreakerPolicy(threshold=3, timeout=timedelta(seconds=5), max_wait=timedelta(minutes=20))


@dataclass
class Servers:
    """What all processes share: Kafka, Postgres and the world outside.

    Attributes:
        broker: Kafka.
        store: The receipts' tables, and the CRM's.
        timers: The timers' table.
        log: The log's tables.
        shop: Who gets the webhooks.
        revisions: The active workflows.
        breakers: The circuit breakers' table.
        entries: The entries' table.
    """

    chaos: Chaos
    broker: LocalBroker = field(default_factory=lambda: LocalBroker(lambda: now().timestamp()))
    timers: TimerTable = field(default_factory=TimerTable)
    log: Log = field(default_factory=Log)
    shop: Shop = field(default_factory=Shop)
    revisions: list[Revision] = field(default_factory=list)
    breakers: MemoryBreakers = field(default_factory=lambda: MemoryBreakers(now))
    entries: MemoryEntries = field(default_factory=MemoryEntries)
    store: ReceiptStore = field(init=False)

    def __post_init__(self) -> None:
        """Let the receipts' effects set timers in the one table."""
        self.store = ReceiptStore(timers=self.timers, clock=lambda: asyncio.get_running_loop().time())


@dataclass(frozen=True)
class Parts:
    """What a process is put together of; a planted bug replaces one of these.

    Attributes:
        member: Its member of the consumer group.
        receipts: What the executors claim with.
        sender: What records are sent with.
        http: What webhooks are sent with.
        timers: The timers, as a scheduler has them.
        revisions: What a matcher that starts knows, of all revisions.
        breakers: What executors share their breakers in.
        entries: What matchers count entries in.
    """

    member: type[SimWorker] = SimWorker
    receipts: type[SimReceipts] = SimReceipts
    sender: type[SimSender] = SimSender
    http: type[SimHttp] = SimHttp
    timers: type[SimTimers] = SimTimers
    revisions: Callable[[Sequence[Revision]], Sequence[Revision]] = lambda revisions: revisions
    breakers: type[SimBreakers] = SimBreakers
    entries: type[SimEntries] = SimEntries


SOUND: Final = Parts()


class Worker:
    """A process of one role, from its start to its death.

    Args:
        role: One of ``ROLES``.
        instance: Which worker of the role it is; the same name again is the same instance, restarted.
        servers: What it talks to.
        parts: How it is put together.
    """

    def __init__(self, role: str, instance: str, servers: Servers, parts: Parts) -> None:
        self.role = role
        self.instance = instance
        self.process = Process(f"{role}/{instance}", servers.chaos)
        self._servers = servers
        self._parts = parts
        self._sender = parts.sender(servers.broker, self.process)
        self._letters = DeadLetters(topics=TOPICS, sender=self._sender, role=role, clock=now)
        self._router = Router(TOPICS, _KNOWN, now)
        self.member = None if role == "scheduler" else parts.member(servers.broker, f"s.{role}", self.process)
        self.index = WorkflowIndex()

    @property
    def crashed(self) -> bool:
        """Whether it has ended by an error of its own."""
        return self.member is not None and self.member.crash_reason is not None

    async def start(self) -> None:
        """Begin to work."""
        if self.member is None:
            timers = self._parts.timers(self._servers.timers, self.process)
            self.process.spawn(TimerLoop(timers, self._sender, instead=self._router.refused).run())
            return
        for topic, agent in await self._agents():
            self.member.add(agent, topic)
        self.process.spawn(self.member.committing())
        await self.member.__aenter__()

    async def stop(self) -> None:
        """End as at SIGTERM: what has begun is finished."""
        if self.member is not None and not self.member.evicted:
            await self.member.__aexit__(None, None, None)
        self.process.kill()

    async def _agents(self) -> list[tuple[str, Agent]]:
        if self.role == "matcher":
            events = TOPICS.events("order.paid")
            return [(events, self._batches(guarded_in_parts(self._matcher().process, lettered(self._letters))))]
        if self.role == "sink":
            log = SimLog(self._servers.log, self.process)
            return [
                (TOPICS.executions, self._batches(guarded(self._sink(log).process, lettered(self._letters)))),
                (TOPICS.dead_letters, self._batches(guarded(self._letter_sink(log).process, stay_in_kafka))),
            ]
        return [await self._executor()]

    def _batches(self, process: InParts) -> Agent:
        delivery = Delivery(self._sender, self._letters, self._router.refused)

        async def agent(source: RecordSource[Any]) -> None:
            await run_batches(source, process, delivery)

        return agent

    def _matcher(self) -> Matcher:
        for revision in self._parts.revisions(self._servers.revisions):
            self.index.apply(revision)
        return Matcher(
            topics=TOPICS,
            index=self.index,
            router=self._router,
            dead_letters=self._letters,
            max_age=3600,
            clock=now,
            monotonic=asyncio.get_running_loop().time,
            budget=RunBudget(0, 60),
            entries=self._parts.entries(self._servers.entries, self.process),
            quota=no_quota(),
            part_bytes=_PART_BYTES,
        )

    def _sink(self, log: LogWriter) -> Sink:
        return Sink(log, self._letters)

    def _letter_sink(self, log: DeadLetterStore) -> DeadLetterSink:
        return DeadLetterSink(log, TOPICS)

    async def _executor(self) -> tuple[str, Agent]:
        action = next(one for one in REGISTRY if one.name == EXECUTORS[self.role])
        memory = MemoryReceipts(self._servers.store, f"s.{self.role}/{self.instance}", LEASE)
        await memory.start()
        receipts = self._parts.receipts(memory, self.process)
        executor = executor_of(action, self._shared(receipts), self._leased())
        topic = TOPICS.actions(action.name, _LANE)
        if not isinstance(executor, LeasedExecutor):
            return topic, self._batches(guarded(executor.process, lettered(self._letters)))

        async def agent(source: RecordSource[Any]) -> None:
            await run_leased(source, executor, slots=_SLOTS)

        return topic, agent

    def _shared(self, receipts: Receipts) -> Shared:
        return Shared(
            current=current_over(self._servers.store.crm),
            rights=FixedRights(),
            receipts=receipts,
            router=self._router,
            holding=no_holding(),
            dead_letters=self._letters,
            timeout=ATTEMPT_S,
            clock=now,
        )

    def _leased(self) -> LeasedOnly:
        loop, chaos = asyncio.get_running_loop(), self._servers.chaos
        http = self._parts.http(self._servers.shop, self.process)
        breakers = Breakers(self._parts.breakers(self._servers.breakers, self.process), BREAKERS, clock=loop.time)
        self.process.spawn(breakers.run())
        return LeasedOnly(
            ports=Ports(http=http, mail=FakeMailer(), mail_from="a@example.com"),
            sender=self._sender,
            breakers=breakers,
            template_texts=TemplateTexts(self._servers.store.texts),
            policy=_RETRIES,
            lease=LEASE.total_seconds(),
            timing=Timing(loop.time, self.process.sleep, lambda: chaos.pick((0.0, 0.5, 1.0)), now),
        )
