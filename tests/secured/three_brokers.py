"""The pipeline as it runs in production: three brokers, three copies, SASL_SSL, minimal ACLs, two workers of each role.

Run by ``make secured``: three JVMs and some twenty processes take longer than the suite has.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from app.actions.registry import REGISTRY
from app.adapters.kafka.admin import ensure_topics
from app.topics import TopicSpec, declare
from tests.integration.site import event
from tests.support.postgres import new_database
from tests.support.secured.cluster import Secured, secured_kafka
from tests.support.secured.installation import PRINCIPALS, ROLES, Locked, locked_site
from tests.support.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(600)]

EVENTS: Final = 60
SETTLED_WITHIN_S: Final = 180.0


@pytest.fixture(scope="module")
async def locked(
    postgres: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Locked]:
    """Three brokers, and two workers of each role but the one API."""
    home: Path = tmp_path_factory.mktemp("three")
    roles = {role: 1 if role == "admin" else 2 for role in ROLES}
    with (
        secured_kafka(home / "kafka", PRINCIPALS, brokers=3) as cluster,
        new_database(postgres, template=migrated_template) as database_url,
    ):
        async with locked_site(cluster, database_url, home, roles=roles) as running:
            yield running


async def test_every_topic_has_three_copies_of_which_two_must_be_there(locked: Locked) -> None:
    """As the cluster decides; the second look finds nothing that falls short."""
    declared = list(declare(locked.settings, REGISTRY.names()))
    report = await ensure_topics(locked.connection("topics"), declared, replication_factor=0)
    assert str(report.replication).startswith("3 copies of each, on 3 brokers; min.insync.replicas=2")
    assert (report.created, report.differing) == ([], [])
    names = {spec.name for spec in declared}
    assert {len(copies) for name, copies in await _replicas(locked) if name in names} == {3}


async def test_a_topic_with_one_copy_is_said(locked: Locked) -> None:
    """Made before there were three brokers, or by hand: it is named, with what it lacks."""
    spec = TopicSpec(f"{locked.settings.topic_prefix}old", 1)
    made = await ensure_topics(locked.connection("topics"), [spec], replication_factor=1)
    assert made.created == [spec.name]
    seen = await ensure_topics(locked.connection("topics"), [spec], replication_factor=0)
    assert seen.differing == [f"{spec.name}: 1 copy, 3 wanted; kafka-reassign-partitions.sh adds them"]


async def _replicas(locked: Locked) -> list[tuple[str, list[int]]]:
    admin = AIOKafkaAdminClient(bootstrap_servers=locked.cluster.inner)
    await admin.start()
    try:
        topics = await admin.describe_topics(None)
    finally:
        await admin.close()
    prefix = locked.settings.topic_prefix
    return [
        (topic["topic"], part["replicas"])
        for topic in topics
        if topic["topic"].startswith(prefix)
        for part in topic["partitions"]
    ]


async def test_every_event_becomes_one_row(locked: Locked) -> None:
    """With all brokers there."""
    await _flow(locked, asyncio.sleep(0))


async def test_nothing_is_lost_when_a_broker_dies(locked: Locked) -> None:
    """Killed half-way, brought back after: what was confirmed has a second copy, the rest waits for a new leader."""
    node = locked.cluster.nodes[0]

    async def die() -> None:
        await asyncio.to_thread(node.kill)

    await _flow(locked, die())
    node.spawn()
    await asyncio.to_thread(node.wait_ready)
    await eventually(partial(_in_sync, locked), within=SETTLED_WITHIN_S, what="all copies in sync again")


async def _flow(locked: Locked, half_way: Awaitable[None]) -> None:
    """Send events, have something happen half-way, and find each event's row and effects once."""
    site = locked.site
    hook = {"type": "webhook", "config": {"url": f"{site.receiver.url}/three", "body": {"event": "{{ event.id }}"}}}
    workflow, kind = await site.workflow(hook, {"type": "apply_tag", "config": {"tag": "three"}})
    sent = [event(kind) for _ in range(EVENTS)]
    await site.stack.emitter.emit_many(sent[: EVENTS // 2])
    await half_way
    await site.stack.emitter.emit_many(sent[EVENTS // 2 :])
    await eventually(partial(_all_done, locked, workflow), within=SETTLED_WITHIN_S, what="a row of each event")
    rows = await _rows(locked, workflow)
    assert sorted(row["event_id"] for row in rows) == sorted(one["id"] for one in sent)
    assert {row["status"] for row in rows} == {"success"}
    uncertain = [row for row in rows for step in row["actions_executed"] if step.get("uncertain")]
    delivered = [orjson.loads(one.body)["event"] for one in site.receiver.deliveries if one.path == "/three"]
    ours = [one for one in delivered if one in {each["id"] for each in sent}]
    assert len(ours) - len(set(ours)) <= len(uncertain)
    assert set(ours) == {one["id"] for one in sent}


async def _rows(locked: Locked, workflow: UUID) -> list[dict[str, Any]]:
    return await locked.site.fetch("SELECT * FROM automation_logs WHERE automation_id = %s", workflow)


async def _all_done(locked: Locked, workflow: UUID) -> bool:
    return len(await _rows(locked, workflow)) >= EVENTS


async def _in_sync(locked: Locked) -> bool:
    admin = AIOKafkaAdminClient(bootstrap_servers=locked.cluster.inner)
    await admin.start()
    try:
        topics = await admin.describe_topics(None)
    finally:
        await admin.close()
    return all(len(part["isr"]) == len(part["replicas"]) for topic in topics for part in topic["partitions"])


def test_it_is_three_brokers(locked: Locked) -> None:
    """Each of them ours, and each of them running."""
    cluster: Secured = locked.cluster
    assert [node.alive() for node in cluster.nodes] == [True] * 3
