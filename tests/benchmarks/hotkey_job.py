"""One case of ``hotkey``: its workflows, its entities, and how long the others take beside the hot ones."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Final
from uuid import UUID, uuid4

import psutil
from aiokafka.partitioner import DefaultPartitioner

from app.domain.ids import execution_id
from tests.benchmarks.hotkey_receiver import Destination
from tests.benchmarks.measure import Rows
from tests.support.stack import Stack
from tests.support.waiting import eventually

_SOURCE: Final = "/hotkey"
_STEP_S: Final = 0.05
_ROWS_WITHIN_S: Final = 90.0
_MIB: Final = 1024 * 1024
_OTHERS: Final = 40
_WARM_UP_S: Final = 10.0
_HOT_RATE: Final = 200.0
EXECUTOR: Final = "executor-system"
ROLES: Final = {"scheduler": 1, "matcher": 1, EXECUTOR: 1, "sink": 1, "admin": 1}
PLACES: Final = ("same partition", "elsewhere")


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        name: What it is called.
        records: Events of the hot entities, in all.
        keys: How many entities they are of.
        path: Where their webhooks go.
        high: They and half of the others' run in the high lane.
        kill: The executor is killed in the middle.
        drained: The hot ones are worked off to their end afterwards, at once each.
    """

    name: str
    records: int
    keys: int = 1
    path: str = "slow"
    high: bool = False
    kill: bool = False
    drained: bool = True


def entities(partitions: int, *, same: bool) -> Iterator[str]:
    """Yield entities that are all in one partition, or in any other."""
    wanted = list(range(partitions))
    for number in count():
        name = f"e-{uuid4().hex[:8]}-{number}"
        partition = DefaultPartitioner()(name.encode(), wanted, wanted)
        if (partition == 0) == same:
            yield name


class Job:
    """One case's workflows and entities on a running stack."""

    def __init__(self, stack: Stack, rows: Rows, target: Destination, case: Case) -> None:
        self._stack = stack
        self._rows = rows
        self._target = target
        self._case = case
        self._ids: dict[str, UUID] = {}
        here, there = (entities(stack.settings.actions_partitions, same=same) for same in (True, False))
        self._hot = [next(here) for _ in range(case.keys)]
        self._others = {
            place: [next(which) for _ in range(_OTHERS)] for place, which in zip(PLACES, (here, there), strict=True)
        }
        self._numbers = count()
        self._sent: dict[str, int] = {}
        self.peak_rss_mb = 0.0
        self.ended: set[str] = set()

    async def prepare(self) -> None:
        """Make the workflows."""
        high = 1 if self._case.high else 5
        for kind, path, priority in (("hot", self._case.path, high), ("odd", "fast", 5), ("even", "fast", high)):
            body = {"entity": "{{ customer.id }}", "n": "{{ n }}"}
            action = {"type": "webhook", "order": 1, "config": {"url": f"{self._target.url}/{path}", "body": body}}
            trigger = {"type": f"custom.{kind}"}
            draft = {"name": kind, "trigger": trigger, "actions": [action], "priority": priority}
            self._ids[kind] = await self._stack.api.create_workflow(draft)
        await self._stack.settled()

    async def warm_up(self, rate: float) -> None:
        """Send for some seconds what nobody times."""
        await self.phase(_WARM_UP_S, rate, 0, kill=False)

    async def phase(self, seconds: float, rate: float, hot: int, *, kill: bool) -> dict[str, list[float]]:
        """Send for so long, at ``rate`` of the others and ``hot`` records of the hot ones, and time the others."""
        sent: list[tuple[str, UUID, float]] = []
        began, done, hot_done = time.time(), 0, 0
        while (gone := time.time() - began) < seconds:
            events = [self._event("hot", self._hot[n % len(self._hot)]) for n in range(hot_done, self._due(gone, hot))]
            hot_done += len(events)
            for number in range(done, int(gone * rate)):
                place, which = PLACES[number % 2], number // 2 % _OTHERS
                kind = ("odd", "even")[which % 2]  # an entity's order is that of one lane
                event = self._event(kind, self._others[place][which])
                events.append(event)
                sent.append((place, execution_id(self._ids[kind], _SOURCE, event["id"]), began + number / rate))
            done = int(gone * rate)
            await self._stack.emitter.emit_many(events)
            if kill and gone > seconds / 2:
                kill = False
                await self._kill()
            self._look()
            await asyncio.sleep(_STEP_S)
        return await self._timed(sent)

    async def drain(self) -> None:
        """Work the hot ones off, which take no time any more, and wait until the last has come."""
        self._target.slow_s = 0.0
        left = partial(self._left, self._hot)
        await eventually(
            lambda: not left(),
            within=240,
            every=0.2,
            what="the hot entities' webhooks",
        )

    def complete(self) -> bool:
        """Whether each of the others' webhooks came, and of the hot ones' where they were worked off."""
        others = [entity for group in self._others.values() for entity in group]
        return not self._left(others + (self._hot if self._case.drained else []))

    def in_order(self) -> bool:
        """Whether each entity's webhooks came in order; parked ones may be overtaken (docs/design.md#2-order)."""
        hot = set(self._hot) if self._case.path == "never" else set()
        return all(ns == sorted(ns) for entity, ns in self._target.first.items() if entity not in hot)

    def _due(self, gone: float, hot: int) -> int:
        return min(hot, int(gone * _HOT_RATE))

    def _left(self, wanted: list[str]) -> int:
        came = self._target.first
        return sum(self._sent.get(entity, 0) - len(came.get(entity, ())) for entity in wanted)

    async def _kill(self) -> None:
        worker = self._stack.worker(EXECUTOR)
        worker.kill()
        await eventually(lambda: worker.pid is None, what="its end")
        worker.start()

    def _look(self) -> None:
        for name, pid in self._stack.pids().items():
            if name.startswith(EXECUTOR):
                self.peak_rss_mb = max(self.peak_rss_mb, rss_mb(pid))
        self.ended |= {worker.name for worker in self._stack.workers if worker.pid is None}

    async def _timed(self, sent: list[tuple[str, UUID, float]]) -> dict[str, list[float]]:
        ids = [one for _, one, _ in sent]
        await eventually(partial(self._all_there, ids), within=_ROWS_WITHIN_S, every=0.2, what="every row")
        found: dict[str, list[float]] = {place: [] for place in PLACES}
        for (place, _, at), committed in zip(sent, await self._rows.committed(ids), strict=True):
            found[place].append(committed - at)
        return found

    async def _all_there(self, ids: list[UUID]) -> bool:
        self._look()
        return await self._rows.count(ids) == len(ids)

    def _event(self, kind: str, entity: str) -> dict[str, Any]:
        self._sent[entity] = self._sent.get(entity, 0) + 1
        data = {"customer": {"id": entity}, "n": next(self._numbers)}
        ids = {"id": uuid4().hex, "source": _SOURCE, "type": f"custom.{kind}", "subject": entity}
        return {"specversion": "1.0", **ids, "data": data}


def rss_mb(pid: int) -> float:
    """Return a process's resident memory in MiB; 0 where it has ended."""
    try:
        return float(psutil.Process(pid).memory_info().rss) / _MIB
    except psutil.NoSuchProcess:
        return 0.0
