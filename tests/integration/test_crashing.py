"""A record that a process dies of ends in the dead letters, whatever role it is and however it dies.

The records around it, of its partition and of others, are executed once each, and the restarts stop.
"""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from app.ports import Record
from schemas.dead_letter import DeadLetter
from tests.integration.crashing import Crashing, crashing
from tests.integration.poison import command, execution, produce
from tests.integration.site import event
from tests.support.faulty_worker import mark
from tests.support.postgres import new_database
from tests.support.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.long]

Document = dict[str, Any]
Make = Callable[[UUID, Document], Document]
PARTITION = 3
ISOLATED_AFTER = 7  # two deaths to suspect it, one over a group that holds it, three over it alone; and one to spare
_LETTER = 'SELECT * FROM dead_letters WHERE topic = %s AND partition = %s AND "offset" = %s'


@pytest.fixture(scope="module")
async def site(
    kafka: str, postgres: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Crashing]:
    """The installation."""
    with new_database(postgres, template=migrated_template) as database_url:
        async with crashing(kafka, database_url, tmp_path_factory.mktemp("crashing")) as running:
            yield running


async def workflow_of(site: Crashing, action: Document) -> tuple[UUID, str]:
    """Create an active workflow of one action."""
    kind = f"custom.t{uuid4().hex[:12]}"
    draft = {"name": kind, "trigger": {"type": kind}, "actions": [{"order": 1, **action}]}
    return await site.stack.api.create_workflow(draft), kind


async def letters(site: Crashing, topic: str, partition: int, offset: int) -> list[Document]:
    """Return the dead letters of a record."""
    return await site.fetch(_LETTER, topic, partition, offset)


async def check(
    site: Crashing,
    role: str,
    topic: str,
    record: Callable[[str], bytes],
    done: Callable[[], Any],
    *,
    partitions: tuple[int, int] = (3, 2),
) -> None:
    """Send good records around one that kills, and elsewhere; ``done`` tells whether the good ones came through."""
    partition, other = partitions
    before = site.restarts(role)

    def records(*marks: str) -> list[Record]:
        return [Record(topic, uuid4().hex.encode(), record(each)) for each in marks]

    how = "raise" if role == "executor-system" else "exit"
    await produce(site.stack.bootstrap, records("", ""), other)
    offsets = await produce(site.stack.bootstrap, records("", "", mark(role, how), "", ""), partition)
    await produce(site.stack.bootstrap, records("", ""), other)
    found = await eventually(
        partial(letters, site, topic, partition, offsets[2]), within=90, every=0.3, what=f"the letter of {role}"
    )
    assert [letter["reason"] for letter in found] == ["crashes"]
    assert "while this record alone was in work" in found[0]["detail"]
    assert ("PlantedError: planted" in found[0]["detail"]) == (how == "raise")
    await eventually(done, within=60, every=0.3, what=f"the good ones of {role}")
    restarts = site.restarts(role) - before
    assert restarts <= ISOLATED_AFTER
    await produce(site.stack.bootstrap, records("", ""), partition)
    await eventually(done, within=60, every=0.3, what=f"later ones of {role}")
    assert site.restarts(role) - before == restarts


class Good:
    """The good events of one test, and whether each has its one row."""

    def __init__(self, site: Crashing, workflow: UUID, kind: str, make: Make) -> None:
        self._site = site
        self._workflow = workflow
        self._kind = kind
        self._make = make
        self.sent: list[Document] = []

    def record(self, mark: str) -> bytes:
        """Return the value of a record; one with a mark is no good one."""
        sent = event(self._kind, note=mark)
        self.sent += [] if mark else [sent]
        return orjson.dumps(self._make(self._workflow, sent))

    async def done(self) -> bool:
        """Tell whether each good event has its row."""
        return len(await self._site.rows(self._workflow, self.sent)) == len(self.sent)


async def test_the_matcher(site: Crashing) -> None:
    """An event."""
    workflow, kind = await workflow_of(site, {"type": "apply_tag", "config": {"tag": "good"}})
    await site.stack.settled()
    good = Good(site, workflow, kind, lambda _, sent: sent)
    await check(site, "matcher", site.stack.topics.events(kind), good.record, good.done)


@pytest.mark.parametrize(
    ("role", "action"),
    [("executor-crm", "apply_tag"), ("executor-system", "webhook")],
)
async def test_an_executor(site: Crashing, role: str, action: str) -> None:
    """A command, of effects of our own and outside; the effects of the others are there once."""
    path = f"/{uuid4().hex}"
    tag = uuid4().hex
    config = {"webhook": {"url": f"{site.receiver.url}{path}"}, "apply_tag": {"tag": tag}}[action]
    step = {"type": action, "config": config}
    workflow, kind = await workflow_of(site, step)
    good = Good(site, workflow, kind, lambda workflow, sent: command(workflow, sent, step))
    await check(site, role, site.stack.topics.actions(action, "normal"), good.record, good.done)
    assert {row["status"] for row in await site.rows(workflow, good.sent)} == {"success"}
    if action == "webhook":
        keys = {one.key for one in site.receiver.deliveries if one.path == path}
        assert len(keys) == len(good.sent)
    else:
        assert len(await site.fetch("SELECT * FROM crm.tags WHERE tag = %s", tag)) == len(good.sent)


async def test_the_sink(site: Crashing) -> None:
    """An execution on its way into the log."""
    workflow, kind = await workflow_of(site, {"type": "stop_workflow"})
    good = Good(site, workflow, kind, execution)
    await check(site, "sink", site.stack.topics.executions, good.record, good.done)


async def test_the_sinks_dead_letters(site: Crashing) -> None:
    """A dead letter that kills its reader has a letter of its own, and those around it are stored."""
    source = f"elsewhere-{uuid4().hex}"
    good: list[int] = []

    def record(mark: str) -> bytes:
        number = len(good)
        good.extend([] if mark else [number])
        letter = DeadLetter(
            topic=source,
            partition=0,
            offset=1000 if mark else number,
            reason="not_json",
            detail=mark or "good",
            size=0,
            failed_at=datetime.now(UTC),
            role="tests",
        )
        return letter.encode()

    async def done() -> bool:
        stored = await site.fetch('SELECT "offset" FROM dead_letters WHERE topic = %s', source)
        return sorted(row["offset"] for row in stored) == good

    await check(site, "sink", site.stack.topics.dead_letters, record, done, partitions=(0, 0))


async def test_the_sources(site: Crashing) -> None:
    """A record of somebody else's topic."""
    workflow, _ = await workflow_of(site, {"type": "stop_workflow"})
    numbers: list[str] = []

    def record(mark: str) -> bytes:
        numbers.extend([] if mark else [uuid4().hex])
        return orjson.dumps({"no": mark or numbers[-1], "amount": 5, "buyer": {"id": "c-1"}})

    draft = {"name": "orders", "trigger": {"type": "order.paid"}, "actions": [{"order": 1, "type": "stop_workflow"}]}
    workflow = await site.stack.api.create_workflow(draft)
    await site.stack.settled()

    async def done() -> bool:
        rows = await site.fetch("SELECT trigger_event FROM automation_logs WHERE automation_id = %s", workflow)
        return sorted(row["trigger_event"]["data"]["order"]["id"] for row in rows) == sorted(numbers)

    await check(site, "sources", site.foreign, record, done)


async def test_an_outage_is_held_against_no_record(site: Crashing) -> None:
    """A process that Kafka or Postgres being away ends is started again for as long as it takes."""
    workflow, kind = await workflow_of(site, {"type": "stop_workflow"})
    good = Good(site, workflow, kind, execution)
    before = site.restarts("sink")
    topic = site.stack.topics.executions
    offsets = await produce(site.stack.bootstrap, [Record(topic, b"k", good.record(mark("sink", "outage")))], PARTITION)
    await eventually(lambda: site.restarts("sink") >= before + ISOLATED_AFTER, within=120, what="restarts")
    assert await letters(site, topic, PARTITION, offsets[0]) == []
    (hold,) = await site.fetch(
        "SELECT deaths FROM partition_holds WHERE topic = %s AND partition = %s", topic, PARTITION
    )
    assert hold["deaths"] == 0
