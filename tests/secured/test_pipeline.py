"""The pipeline on a Kafka that demands logins and encryption, with the ACLs that are printed and no other."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from app.adapters.kafka.admin import TopicError, ensure_topics
from app.adapters.kafka.permissions import denied
from app.adapters.kafka.producer import KafkaSender
from app.domain.errors import HeadraceError
from app.domain.kafka_access import Access
from app.processes.kafka_access import accesses, concrete
from app.services.ingest.emitter import EventEmitter
from app.topics import Topics, TopicSpec
from tests.integration.site import event
from tests.support.deadlines import scaled
from tests.support.postgres import new_database
from tests.support.secured.acls import give, grants, take
from tests.support.secured.cluster import Secured
from tests.support.secured.installation import ROLES, Locked, locked_site
from tests.support.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

REFUSED_WITHIN_S: Final = 10.0


@pytest.fixture(scope="module")
async def locked(
    secured: Secured, postgres: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Locked]:
    """One worker of each role."""
    home: Path = tmp_path_factory.mktemp("site")
    with new_database(postgres, template=migrated_template) as database_url:
        async with locked_site(secured, database_url, home) as running:
            yield running


async def test_an_event_goes_all_the_way(locked: Locked) -> None:
    """Event, matcher, executors of four families, a timer, sink, row; a dead letter; and how deep the queue is."""
    site = locked.site
    hook = {"type": "webhook", "config": {"url": f"{site.receiver.url}/locked"}}
    mail = {"type": "send_email", "config": {"subject": "s", "text": "t"}}
    tag = {"type": "apply_tag", "config": {"tag": "locked"}}
    task = {"type": "create_task", "config": {"title": "call"}}
    delay = {"type": "delay", "config": {"duration": "1s"}}
    workflow, kind = await site.workflow(hook, mail, tag, delay, task, priority=1)
    sent = event(kind)
    await site.stack.emitter.emit(sent)
    row = await site.row(workflow, sent)
    assert [result["status"] for result in row["actions_executed"]] == ["success"] * 5
    assert row["status"] == "success"
    data = {"customer": {"id": "c-by-hand", "email": "by-hand@example.com"}}
    await site.stack.api.call("POST", f"/api/v1/workflows/{workflow}/execute", {"data": data, "subject": "c-by-hand"})
    await eventually(partial(_runs, locked, workflow, 2), within=20)
    await eventually(partial(_drained, locked), within=20)


async def _runs(locked: Locked, workflow: object, count: int) -> bool:
    rows = await locked.site.fetch("SELECT status FROM automation_logs WHERE automation_id = %s", workflow)
    return [row["status"] for row in rows] == ["success"] * count


async def _drained(locked: Locked) -> bool:
    status, _ = await locked.site.stack.api.call("GET", "/api/v1/queue")
    return bool(status["depth"] == 0)


@pytest.mark.parametrize("role", ROLES)
async def test_what_is_printed_is_enough_for_each_role(locked: Locked, role: str) -> None:
    """Kafka itself says that nothing is denied; to a stranger everything is."""
    needed = concrete(role, locked.settings)
    assert needed
    assert await denied(locked.connection(role), needed) == []
    assert await denied(locked.cluster.login("stranger"), needed) == needed


# Of each kind that is granted, one: by whom it is needed, and what is denied without it.
KINDS: Final = [
    ("sink", "Read", "topic", "literal"),
    ("sink", "Read", "group", "literal"),
    ("sink", "Write", "topic", "literal"),
    ("matcher", "Write", "topic", "prefixed"),
    ("admin", "Describe", "topic", "prefixed"),
]


@pytest.mark.parametrize(("role", "operation", "resource", "pattern"), KINDS)
async def test_without_one_the_role_is_told(
    locked: Locked, role: str, operation: str, resource: str, pattern: str
) -> None:
    """Each kind of ACL taken away is found at the start, by its name."""
    kind = (f"User:headrace-{role}", operation, resource, pattern)
    grant = next(one for one in locked.granted if (one.principal, one.operation, one.resource, one.pattern) == kind)
    await take(locked.cluster.inner, [grant])
    try:
        missing = await eventually(lambda: denied(locked.connection(role), concrete(role, locked.settings)))
    finally:
        await give(locked.cluster.inner, [grant])
    covering = Access(operation, resource, grant.name, prefixed=pattern == "prefixed")  # type: ignore[arg-type]
    assert {one.operation for one in missing} == {operation}
    assert all(covering.covers(one.name) for one in missing)


async def test_a_worker_without_its_right_does_not_start(locked: Locked) -> None:
    """It says within 10 seconds what is denied, whom, and what prints the grant; it ends with an error."""
    stack = locked.site.stack
    environment = {
        **os.environ,
        **stack.environment,
        **locked.cluster.environment("stranger"),
        "HEADRACE_INSTANCE": "9",
    }
    began = time.monotonic()
    words = [sys.executable, "-m", "app.cli", "worker", "sink"]
    done = await asyncio.to_thread(
        subprocess.run, words, env=environment, capture_output=True, text=True, timeout=scaled(60), check=False
    )
    assert time.monotonic() - began < scaled(REFUSED_WITHIN_S)
    assert done.returncode != 0
    assert "denies the user stranger what sink needs: Read topic" in done.stderr
    assert "headrace topics --acls" in done.stderr


async def test_topics_are_made_by_who_may(locked: Locked) -> None:
    """Another role is told what is denied, and of topics whose settings it may not see."""
    other, prefix = locked.connection("admin"), locked.settings.topic_prefix
    with pytest.raises(TopicError, match=rf"{prefix}new: .*`headrace topics --acls`"):
        await ensure_topics(other, [TopicSpec(f"{prefix}new", 1)], replication_factor=1)
    seen = await ensure_topics(other, [TopicSpec(f"{prefix}executions", 1)], replication_factor=1)
    assert seen.differing == ["the settings of 1 topics may not be looked at (DescribeConfigs)"]


async def test_who_may_not_send_is_told(locked: Locked) -> None:
    """A stranger's event is refused, with where to look."""
    topics = Topics(locked.settings.topic_prefix)
    async with KafkaSender(locked.cluster.login("stranger")) as sender:
        with pytest.raises(HeadraceError, match="--acls"):
            await EventEmitter(sender, topics).emit(event("custom.unwanted"))


async def test_nobody_is_granted_more_than_one_role_needs(locked: Locked) -> None:
    """Only who plans and executes may write commands; only the scheduler the workflow table; nobody may delete."""
    needed = accesses(locked.settings)
    writers = {
        role
        for role, each in needed.items()
        for one in each
        if one.operation == "Write" and one.covers(f"{locked.settings.topic_prefix}actions.webhook")
    }
    assert writers == {*(role for role in ROLES if role.startswith("executor-")), "matcher", "scheduler"}
    table = [
        role
        for role, each in needed.items()
        for one in each
        if one.operation == "Write" and one.covers(f"{locked.settings.topic_prefix}matcher-workflows-changelog")
    ]
    assert table == ["scheduler"]


def test_grants_are_read_as_they_are_printed() -> None:
    """Several operations and names on one line."""
    words = "--operation Read --operation Write --resource-pattern-type prefixed --topic a --topic b"
    assert {(one.operation, one.name) for one in grants([f"acl User:x {words}"])} == {
        ("Read", "a"),
        ("Read", "b"),
        ("Write", "a"),
        ("Write", "b"),
    }
