"""One run: a seed's events, processes and faults, from the first event until everything has come to rest."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson

from app.domain.ids import execution_id
from schemas.workflow import Revision
from tests.simulation.chaos import Chaos
from tests.simulation.kafka import PARTITIONS, SESSION_S
from tests.simulation.roles import EXECUTORS, ROLES, SOUND, TOPICS, Parts, Servers, Worker
from tests.simulation.virtual_time import now, run

WORKFLOW: Final = UUID(int=7)
NOW_AND_THEN: Final = UUID(int=8)
WINDOW_S: Final = 10.0
SOURCE: Final = "/sim"
HOOK: Final = "http://shop.example/hook"
_ENTITIES: Final = 4
_EVENTS: Final = 12
_POISON: Final = b"{no event"
_FAULTS_S: Final = 40.0
_MOST_FAULTS: Final = 5
_MOMENT_S: Final = 10.0
_HALF: Final = 0.5
_FROZEN_S: Final = 30.0
_SHUT_S: Final = 30.0
_REST_S: Final = 120.0
DELAY_S: Final = 20.0
_LOOK_S: Final = 2.0
_LOOKS: Final = 900


@dataclass
class Sent:
    """What came in.

    Attributes:
        executions: Each event's, in the order of the events.
        versions: Of the workflow, when each event came.
        entities: Of each.
        times: When each event came, in seconds of the run.
        watched: Of each event, the execution of the workflow that an entity may enter only now and then.
        poison: How many records were no events.
    """

    executions: list[UUID] = field(default_factory=list)
    versions: dict[UUID, int] = field(default_factory=dict)
    entities: dict[UUID, str] = field(default_factory=dict)
    times: dict[UUID, float] = field(default_factory=dict)
    watched: dict[UUID, UUID] = field(default_factory=dict)
    poison: int = 0

    @property
    def expected(self) -> set[UUID]:
        """All executions, of both workflows."""
        return {*self.executions, *self.watched.values()}


@dataclass(frozen=True)
class Ran:
    """What a run leaves behind."""

    seed: int
    sent: Sent
    servers: Servers
    told: list[str]


class World:
    """A seed's run.

    Args:
        seed: Says everything.
        parts: How processes are put together.
    """

    def __init__(self, seed: int, parts: Parts) -> None:
        self._seed = seed
        self._chaos = Chaos(seed)
        self._servers = Servers(self._chaos)
        self._parts = parts
        self._sent = Sent()
        self._workers: dict[tuple[str, str], Worker] = {}
        # Also the dead ones: were they collected, their clean-up would run.
        self._all: list[Worker] = []
        self._faults: list[asyncio.Task[None]] = []

    async def run(self) -> Ran:
        """Let everything happen; returns when all executions are logged and nothing has moved since, or at a limit."""
        topics = (
            TOPICS.events("order.paid"),
            TOPICS.executions,
            TOPICS.dead_letters,
            *(TOPICS.actions(action, "normal") for action in EXECUTORS.values()),
        )
        for topic in topics:
            self._servers.broker.create_topic(topic, partitions=PARTITIONS)
        with_delay = self._chaos.happens(_HALF)
        self._servers.revisions += [_now_and_then(), _workflow(1, with_delay=with_delay)]
        for role in ROLES:
            for number in range(1 + self._chaos.below(2)):
                await self._start(role, str(number + 1))
        watching = asyncio.create_task(self._restart_what_ends())
        self._faults = [asyncio.create_task(self._fault()) for _ in range(self._chaos.below(_MOST_FAULTS + 1))]
        await self._send_events(_EVENTS // 2)
        self._publish(_workflow(2, with_delay=with_delay))
        await self._send_events(_EVENTS)
        await asyncio.gather(*self._faults)
        self._chaos.healed = True
        await self._rest()
        watching.cancel()
        self._chaos.over = True
        return Ran(self._seed, self._sent, self._servers, self._chaos.told)

    def _publish(self, revision: Revision) -> None:
        """Publish, and let every matcher that runs have read it; one that starts later finds it in its table."""
        self._servers.revisions.append(revision)
        for worker in self._workers.values():
            worker.index.apply(revision)

    async def _send_events(self, until: int) -> None:
        for number in range(len(self._sent.executions), until):
            await asyncio.sleep(self._chaos.between(0, 3))
            entity = f"c{self._chaos.below(_ENTITIES)}"
            if self._chaos.happens():
                self._sent.poison += 1
                self._append(entity, _POISON)
            ours = execution_id(WORKFLOW, SOURCE, f"e-{number}")
            self._sent.executions.append(ours)
            self._sent.entities[ours] = entity
            self._sent.versions[ours] = self._servers.revisions[-1].version
            self._sent.times[ours] = asyncio.get_running_loop().time()
            self._sent.watched[ours] = execution_id(NOW_AND_THEN, SOURCE, f"e-{number}")
            value = orjson.dumps(_event(number, entity))
            for _ in range(2 if self._chaos.happens() else 1):  # a producer that was not told sends again
                self._append(entity, value)

    def _append(self, entity: str, value: bytes) -> None:
        self._servers.broker.append(TOPICS.events("order.paid"), value, key=entity.encode())

    async def _rest(self) -> None:
        for _ in range(_LOOKS):
            if self._servers.log.rows.keys() >= self._sent.expected:
                break
            await asyncio.sleep(_LOOK_S)
        await asyncio.sleep(_REST_S)

    # -- faults

    async def _fault(self) -> None:
        await asyncio.sleep(self._chaos.between(0, _FAULTS_S))
        role = self._chaos.pick((*ROLES, "executor-system", "executor-system"))
        await self._chaos.pick((self._kill, self._kill, self._freeze, self._join, self._leave, self._shut))(role)

    async def _kill(self, role: str) -> None:
        worker = await self._at_a_bad_moment(role)
        if worker is not None:
            self._chaos.tell(f"kill -9 {worker.process.name}")
            worker.process.kill()
            await asyncio.sleep(self._chaos.between(0, 3))
            await self._replace(worker)

    async def _freeze(self, role: str) -> None:
        """Stop a process for longer than its session and its leases, and let it go on beside its successor."""
        worker = await self._at_a_bad_moment(role)
        if worker is None:
            return
        self._chaos.tell(f"freeze {worker.process.name}")
        worker.process.freeze()
        await asyncio.sleep(SESSION_S)
        successor = await self._replace(worker, anew=self._chaos.happens(_HALF))
        if successor is not None and self._chaos.happens(_HALF):
            await self._comes_to_a_moment(successor)
        else:
            await asyncio.sleep(self._chaos.between(0, _FROZEN_S))
        self._chaos.tell(f"thaw {worker.process.name}")
        worker.process.thaw()
        await asyncio.sleep(self._chaos.between(1, 10))
        worker.process.kill()

    async def _join(self, role: str) -> None:
        await self._start(role, str(3 + self._chaos.below(100)))

    async def _leave(self, role: str) -> None:
        leaving = self._one_of(role)
        if leaving is not None and sum(of == role for of, _ in self._workers) > 1:
            self._chaos.tell(f"SIGTERM {leaving.process.name}")
            del self._workers[role, leaving.instance]
            await leaving.stop()

    async def _shut(self, role: str) -> None:
        """Let who gets the webhooks serve nobody for a while."""
        del role
        seconds = self._chaos.between(1, _SHUT_S)
        self._chaos.tell(f"the shop is shut for {seconds:.0f} s")
        self._servers.shop.shut_until = asyncio.get_running_loop().time() + seconds

    async def _at_a_bad_moment(self, role: str) -> Worker | None:
        """Return a process to hurt; often it has just changed something outside, and has not stored it."""
        worker = self._one_of(role)
        if worker is not None and self._chaos.happens(_HALF):
            await self._comes_to_a_moment(worker)
            if self._chaos.happens(_HALF):
                await self._comes_to_a_moment(worker)
        return worker if worker is not None and worker.process.running else None

    async def _comes_to_a_moment(self, worker: Worker) -> None:
        """Wait until a process has changed something outside, or is about to store that, if that is soon."""
        worker.process.moment.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_MOMENT_S):
                await worker.process.moment.wait()

    def _one_of(self, role: str) -> Worker | None:
        ours = [worker for (of, _), worker in self._workers.items() if of == role and worker.process.running]
        return self._chaos.pick(ours) if ours else None

    async def _replace(self, worker: Worker, *, anew: bool = False) -> Worker | None:
        """Start another in a process's place: the same instance, or a new one; None where that has been done before."""
        known = self._workers.get((worker.role, worker.instance)) is worker
        if known:
            del self._workers[worker.role, worker.instance]
        if worker.member is not None and not worker.member.evicted:  # also one that was about to leave
            await worker.member.evict()
        if not known:
            return None
        return await self._start(worker.role, f"{worker.instance}-anew" if anew else worker.instance)

    async def _start(self, role: str, instance: str) -> Worker | None:
        if (role, instance) in self._workers:
            return None
        worker = self._workers[role, instance] = Worker(role, instance, self._servers, self._parts)
        self._all.append(worker)
        self._chaos.tell(f"start {worker.process.name}")
        await worker.start()
        return worker

    async def _restart_what_ends(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            for worker in [*self._workers.values()]:
                if worker.crashed and worker.process.running:
                    assert worker.member is not None
                    self._chaos.tell(f"{worker.process.name} ends: {worker.member.crash_reason!r}")
                    worker.process.kill()
                    await self._replace(worker)


def simulate(seed: int, parts: Parts = SOUND) -> Ran:
    """Run a seed."""

    async def whole() -> Ran:
        return await World(seed, parts).run()

    return run(whole())


def _workflow(version: int, *, with_delay: bool) -> Revision:
    tag = {"type": "apply_tag", "config": {"tag": "{{ event.id }}"}}
    waits = [{"type": "delay", "config": {"duration": f"{DELAY_S:.0f} seconds"}}] if with_delay else []
    hooks = [{"type": "webhook", "config": {"url": HOOK}}] * 2
    actions = [{"order": order, **action} for order, action in enumerate([hooks[0], *waits, tag, hooks[1]], 1)]
    return _revision(WORKFLOW, version, actions)


def _now_and_then() -> Revision:
    """Return the workflow that an entity may enter only now and then."""
    tag = {"type": "apply_tag", "order": 1, "config": {"tag": "entered by {{ event.id }}"}}
    return _revision(NOW_AND_THEN, 1, [tag], reentry=f"once per {WINDOW_S:.0f} seconds")


def _revision(workflow: UUID, version: int, actions: list[dict[str, Any]], **more: Any) -> Revision:
    return Revision.model_validate(
        {
            "id": workflow,
            "version": version,
            "name": "All that matters",
            "active": True,
            "trigger": {"type": "order.paid"},
            "conditions": [],
            "actions": actions,
            "owner": UUID(int=9),
            "updated_at": now(),
            **more,
        }
    )


def _event(number: int, entity: str) -> dict[str, Any]:
    data = {"order": {"total": 120}, "customer": {"id": entity}}
    ids = {"id": f"e-{number}", "source": SOURCE, "type": "order.paid", "subject": entity}
    return {"specversion": "1.0", **ids, "data": data}
