"""One entity's steps run in order, judged from what the receivers saw, while workers join and leave."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from app.domain.ids import execution_id
from tests.integration.site import Site, event
from tests.support.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

ENTITIES = 50
PAUSE_S = 1.0
JOINING = ("matcher", "executor-notification", "executor-system")


@dataclass(slots=True)
class Flow:
    """Interleaved events of all entities, numbered per entity, each sent twice over by a webhook and an e-mail."""

    site: Site
    workflow: UUID
    kind: str
    events: list[dict[str, Any]] = field(default_factory=list)
    rounds: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(3))

    async def emit(self, rounds: int = 1) -> None:
        """Emit events of every entity at once, each round of them in a new order."""
        made: list[dict[str, Any]] = []
        for _ in range(rounds):
            self.rounds += 1
            entities = [f"e{number}" for number in range(ENTITIES)]
            self.chance.shuffle(entities)
            made += [event(self.kind, entity, n=self.rounds) for entity in entities]
        self.events += made
        await self.site.stack.emitter.emit_many(made)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Emit rounds all the while, at least one."""
        over = asyncio.Event()

        async def keep_on() -> None:
            while True:
                await self.emit()
                try:
                    await asyncio.wait_for(over.wait(), PAUSE_S)
                except TimeoutError:
                    continue
                return

        emitting = asyncio.create_task(keep_on())
        try:
            yield
        finally:
            over.set()
            await emitting

    async def done(self) -> bool:
        """Tell whether every execution has its row."""
        wanted = [execution_id(self.workflow, each["source"], each["id"]) for each in self.events]
        return len(await self.site.rows(*wanted)) == len(wanted)


def numbers(seen: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """Return what was seen of each entity, in order of arrival."""
    found: dict[str, list[int]] = defaultdict(list)
    for entity, number in seen:
        found[entity].append(number)
    return found


@pytest.fixture
async def flow(site: Site) -> Flow:
    """A workflow with two steps outside: what arrives can be seen."""
    body = {"entity": "{{ customer.id }}", "n": "{{ n }}"}
    hook = {"type": "webhook", "config": {"url": f"{site.receiver.url}/order", "body": body}}
    mail = {"type": "send_email", "config": {"subject": "{{ n }}", "text": "Hello"}}
    return Flow(site, *await site.workflow(hook, mail))


async def test_each_entity_is_served_in_order_while_workers_join_and_leave(site: Site, flow: Flow) -> None:
    """50 entities: both receivers see 1, 2, 3 … of each, nothing twice, nothing missing."""
    await flow.emit(3)
    async with flow.running():
        joined = [site.stack.add(role) for role in JOINING]
        await site.stack.ready()
    await flow.emit(3)
    async with flow.running():
        await eventually(partial(both_work, site), within=60, every=0.3, what="work done by those who joined")
        await asyncio.gather(*(worker.stop() for worker in joined))
        for worker in joined:
            site.stack.workers.remove(worker)
        await site.stack.ready()
    await flow.emit(3)
    await eventually(partial(flow.done), within=60, every=0.3, what="every row")

    expected = {f"e{number}": list(range(1, flow.rounds + 1)) for number in range(ENTITIES)}
    posts = [one.json() for one in site.receiver.deliveries]
    assert numbers((post["entity"], int(post["n"])) for post in posts if isinstance(post, dict)) == expected
    mails = ((mail.recipients[0].partition("@")[0], int(mail.subject)) for mail in site.mailbox.mails)
    assert numbers(mails) == expected
    assert [worker.exit_code for worker in joined] == [0, 0, 0]
    assert site.stack.pids() == site.pids


async def both_work(site: Site) -> bool:
    """Tell whether both workers of each executor have carried commands out: one alone would keep the order easily."""
    rows = await site.fetch("SELECT DISTINCT instance FROM receipts")
    workers = {row["instance"].removeprefix(site.stack.topics.prefix) for row in rows}
    expected = {f"{role}/{number}" for role in JOINING if role != "matcher" for number in (1, 2)}
    return workers == expected
