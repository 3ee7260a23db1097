"""``python -m tests.benchmarks.own_code``: CPU that our own code takes for one record of each stage of the job.

The job of ``bench`` without Kafka, Postgres and HTTP: ports in memory answer at once and do next to nothing, so that
what is left is reading the record, matching or carrying out, and writing what follows. ``--against`` names a worktree
whose code takes turns with this one's (A B A B); each figure is the best round's median of its batches.
"""

import argparse
import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final
from uuid import UUID

import orjson
import uvloop

from app.actions.apply_tag import ApplyTag
from app.actions.base import Ports
from app.actions.webhook import Webhook
from app.domain.breaker import BreakerPolicy
from app.domain.loops import RunBudget
from app.domain.retry import RetryPolicy
from app.execution.breakers import Breakers
from app.execution.bulkhead import Bulkhead
from app.execution.executors import LeasedOnly, Shared, executor_of
from app.execution.lane import Lane
from app.execution.leased import LeasedExecutor
from app.execution.log_writing import Sink
from app.execution.matching import Matcher
from app.execution.routing import Router
from app.execution.transactional import TransactionalExecutor
from app.ports import Claim, Claimed, ClaimOutcome, Done, HttpAnswer, HttpRequest, Record, Refusal, Sender
from app.ports.execution_log import Logged, LogOutcome
from app.processes.faust_app import spare_the_collector
from app.services.delivery.dead_letters import DeadLetters
from app.services.messages.message_text import TemplateTexts
from app.services.workflows.index import WorkflowIndex
from app.topics import Topics
from schemas.workflow import Revision
from tests.benchmarks.load import make_event
from tests.benchmarks.progress import say
from tests.support.breakers import MemoryBreakers
from tests.support.current import current_over
from tests.support.entries import MemoryEntries
from tests.support.fake_mailer import FakeMailer
from tests.support.fake_rights import FixedRights
from tests.support.memory_texts import MemoryTexts
from tests.support.parts import whole
from tests.support.quotas import no_holding, no_quota
from tests.support.records import FakeRecord

_TOPICS: Final = Topics("bench.")
_ROUTER: Final = Router(_TOPICS, frozenset({"webhook", "apply_tag"}))
_BATCH: Final = 200
_WORKFLOW: Final[dict[str, Any]] = {
    "id": UUID(int=1),
    "version": 1,
    "name": "The job",
    "active": True,
    "owner": UUID(int=9),
    "trigger": {"type": "order.paid"},
    "conditions": [
        {"field": "order.total", "operator": ">", "value": 100},
        {"field": "customer.state", "operator": "in", "value": ["SP", "RJ", "MG"]},
    ],
    "actions": [
        {
            "type": "webhook",
            "order": 1,
            "config": {
                "url": "http://127.0.0.1:9/hook",
                "body": {"order": "{{ order.id }}", "total": "{{ order.total }}", "customer": "{{ customer.id }}"},
            },
        },
        {"type": "apply_tag", "order": 2, "config": {"tag": "big-order"}},
    ],
    "updated_at": datetime(2026, 1, 1, tzinfo=UTC),
}

Process = Callable[[Sequence[FakeRecord]], Awaitable[Any]]


def _now() -> datetime:
    return datetime.now(UTC)


class _Sent(Sender):
    """Takes everything."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    async def deliver(self, records: Sequence[Record]) -> Sequence[Refusal | None]:
        self.records.extend(records)
        return [None] * len(records)


class _Granted:
    """Receipts that grant every claim and keep nothing, and the CRM that every tag is new to."""

    crm: Any
    timers: Any

    def __init__(self) -> None:
        self.crm = self.timers = self

    async def claim(self, claims: Sequence[Claim]) -> list[ClaimOutcome]:
        return [Claimed(claim.matched_at, uncertain=False) for claim in claims]

    async def finish(self, results: Sequence[tuple[UUID, Any]]) -> list[Any]:
        return [result for _, result in results]

    async def apply(self, claims: Sequence[Claim], effect: Any) -> list[ClaimOutcome]:
        made = await effect(self, range(len(claims)))
        return [Done(claim.matched_at, made[at]) for at, claim in enumerate(claims)]

    async def set(self, timers: Sequence[Any]) -> None:
        assert not timers

    async def apply_tags(self, requests: Sequence[Any]) -> list[bool]:
        return [True] * len(requests)


class _Http:
    async def send(self, request: HttpRequest, *, within: float, body_limit: int) -> HttpAnswer:
        assert request.body
        assert within < body_limit
        return HttpAnswer(200, {"content-type": "application/json"}, '{"ok":true}')


class _Log:
    async def write(self, documents: Sequence[str]) -> list[LogOutcome]:
        return [Logged("success", _now(), late=False)] * len(documents)


class Stages:
    """The stages of the job, each over ports in memory, and the records that it has been given."""

    def __init__(self, events: int) -> None:
        self._sent = _Sent()
        self._letters = DeadLetters(topics=_TOPICS, sender=self._sent, role="bench", clock=_now)
        self._receipts: Any = _Granted()
        chance = random.Random(0)
        made = [make_event("run", seq, chance) for seq in range(events)]
        self._events = [FakeRecord(value, key, "bench.events.order") for key, value in made]

    async def run(self) -> dict[str, float]:
        """Carry the job out for all events, a stage after the other; returns each one's CPU microseconds a record."""
        took: dict[str, float] = {}
        records = self._events
        for name, process in (
            ("matcher", self._matcher()),
            ("webhook", self._leased()),
            ("apply_tag", self._transactional()),
            ("sink", self._sink()),
        ):
            batches = []
            for at in range(0, len(records), _BATCH):
                began = time.thread_time()
                self._sent.records.extend(await process(records[at : at + _BATCH]))
                batches.append((time.thread_time() - began) / len(records[at : at + _BATCH]) * 1e6)
            took[name] = median(batches)
            records = self._next(name)
        return took

    def _next(self, stage: str) -> list[FakeRecord]:
        out, self._sent.records = self._sent.records, []
        assert stage == "sink" or len(out) == len(self._events), f"{stage} made {len(out)} records"
        assert not any(record.topic.endswith("dead-letters") for record in out), f"{stage} made dead letters"
        return [FakeRecord(record.value, record.key, record.topic, headers=record.headers) for record in out]

    def _matcher(self) -> Process:
        index = WorkflowIndex()
        index.apply(Revision.model_validate(_WORKFLOW))
        matcher = Matcher(
            topics=_TOPICS,
            index=index,
            router=_ROUTER,
            dead_letters=self._letters,
            max_age=3600,
            clock=_now,
            budget=RunBudget(0, 60),
            entries=MemoryEntries(),
            quota=no_quota(),
        )
        return lambda records: whole(matcher.process(records))

    def _leased(self) -> Process:
        executor = executor_of(Webhook(), self._shared(), self._leased_only())
        assert isinstance(executor, LeasedExecutor)
        lane = Lane(Bulkhead(_BATCH, shared=True), lambda _: False)

        async def process(records: Sequence[FakeRecord]) -> Sequence[Record]:
            assert all(await asyncio.gather(*(executor.handle(record, lane) for record in records)))
            return ()

        return process

    def _transactional(self) -> Process:
        executor = executor_of(ApplyTag(), self._shared(), self._leased_only())
        assert isinstance(executor, TransactionalExecutor)
        return executor.process

    def _sink(self) -> Process:
        return Sink(_Log(), self._letters).process

    def _shared(self) -> Shared:
        return Shared(
            current=current_over(),
            rights=FixedRights(),
            receipts=self._receipts,
            router=_ROUTER,
            holding=no_holding(),
            dead_letters=self._letters,
            timeout=5,
            clock=_now,
        )

    def _leased_only(self) -> LeasedOnly:
        return LeasedOnly(
            ports=Ports(_Http(), FakeMailer(), "Shop <shop@example.com>"),
            sender=self._sent,
            breakers=Breakers(MemoryBreakers(), BreakerPolicy()),
            template_texts=TemplateTexts(MemoryTexts()),
            policy=RetryPolicy(),
            lease=37,
        )


def measure(events: int, rounds: int) -> dict[str, float]:
    """Return the best of some rounds, after one that does not count."""
    spare_the_collector()
    found = [uvloop.run(Stages(events).run()) for _ in range(rounds + 1)][1:]
    return _best(found)


def _best(found: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: min(one[name] for one in found) for name in found[0]}


def _elsewhere(tree: Path, events: int, rounds: int) -> dict[str, float]:
    """Measure in a process of its own, with the code of ``tree`` and this script."""
    words = [sys.executable, "-P", __file__, "--bare", "--events", str(events), "--rounds", str(rounds)]
    done = subprocess.run(  # noqa: S603 - our own script
        words, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, check=True, capture_output=True
    )
    told: dict[str, float] = orjson.loads(done.stdout)
    return told


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5, help="in each turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--against", type=Path, help="a worktree of the code to compare with")
    parser.add_argument("--bare", action="store_true", help="measure in this process, print JSON")
    given = parser.parse_args()
    if given.bare:
        sys.stdout.buffer.write(orjson.dumps(measure(given.events, given.rounds)))
        return
    here = Path(__file__).resolve().parents[2]
    trees = {"before": given.against.resolve(), "now": here} if given.against else {"now": here}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in trees}
    for turn in range(given.turns):
        for name, tree in trees.items():
            found[name].append(_elsewhere(tree, given.events, given.rounds))
            say(f"turn {turn + 1}, {name}: {found[name][-1]}")
    best = {name: _best(turns) for name, turns in found.items()}
    sys.stdout.write(f"{'us of CPU a record':<20}" + "".join(f"{name:>10}" for name in best) + "\n")
    for stage in best["now"]:
        sys.stdout.write(f"{stage:<20}" + "".join(f"{one[stage]:>10.1f}" for one in best.values()) + "\n")


if __name__ == "__main__":
    main()
