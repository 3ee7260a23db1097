"""Topics on a real broker: made once, compared, grown only when asked."""

from collections.abc import Sequence
from time import monotonic

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from app.actions.registry import REGISTRY
from app.adapters.kafka.admin import TopicError, TopicReport, ensure_topics
from app.domain.errors import SettingsError, UnreachableError
from app.domain.kafka_connection import KafkaConnection
from app.settings import Settings
from app.topics import Topics, TopicSpec, declare
from tests.support.deadlines import scaled
from tests.support.waiting import eventually


async def ensure(kafka: str, specs: Sequence[TopicSpec], *, add_partitions: bool = False) -> TopicReport:
    """Make topics, with one replica."""
    return await ensure_topics(KafkaConnection(kafka), specs, replication_factor=1, add_partitions=add_partitions)


async def describe(kafka: str, prefix: str) -> dict[str, int]:
    """Partitions of the topics under a prefix."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        topics = await admin.describe_topics(None)
    finally:
        await admin.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in topics if topic["topic"].startswith(prefix)}


async def test_every_declared_topic_is_made_once(kafka: str, topic_prefix: str) -> None:
    """The first run makes all of them as declared, the second finds nothing to do."""
    settings = Settings(topic_prefix=topic_prefix, events_partitions=2, actions_partitions=3)
    specs = list(declare(settings, REGISTRY.names()))
    first = await ensure(kafka, specs)
    assert first.created == [spec.name for spec in specs]
    assert first.restart_needed
    assert await describe(kafka, topic_prefix) == {spec.name: spec.partitions for spec in specs}
    again = await ensure(kafka, specs)
    assert again == TopicReport(total=len(specs), replication=first.replication)
    assert not again.restart_needed


async def test_partitions_are_added_only_when_asked(kafka: str, topic_prefix: str) -> None:
    """A topic that is short is reported; with ``add_partitions`` it grows; one that has more is left alone."""
    name, larger = f"{topic_prefix}grows", f"{topic_prefix}larger"
    await ensure(kafka, [TopicSpec(name, 2), TopicSpec(larger, 5)])
    wanted = [TopicSpec(name, 4), TopicSpec(larger, 3)]
    assert (await ensure(kafka, wanted)).short == {name: (2, 4)}
    grown = await ensure(kafka, wanted, add_partitions=True)
    assert (grown.grown, grown.short) == ([name], {})
    assert grown.restart_needed
    assert await describe(kafka, topic_prefix) == {name: 4, larger: 5}


async def test_a_config_that_differs_is_reported_and_left(kafka: str, topic_prefix: str) -> None:
    """A changelog that somebody made without compaction is named, with what it is and what it should be."""
    changelog = Topics(topic_prefix).workflows_changelog
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(changelog, 1, 1, topic_configs={"cleanup.policy": "delete"})])
    finally:
        await admin.close()
    spec = TopicSpec(changelog, 1, {"cleanup.policy": "compact"})
    expected = [f"{changelog}: cleanup.policy is delete, declared compact: a workflow's record goes with age"]

    async def reported() -> bool:
        # A broker tells of a new topic's configs a moment after it tells of the topic.
        return (await ensure(kafka, [spec])).differing == expected

    await eventually(reported, what="the difference is reported")
    assert (await ensure(kafka, [spec])).differing == expected


async def test_a_topic_that_the_broker_refuses_is_named(kafka: str, topic_prefix: str) -> None:
    """The error carries the topic's name and the broker's reason."""
    with pytest.raises(TopicError, match=f"{topic_prefix}odd.*nonsense"):
        await ensure(kafka, [TopicSpec(f"{topic_prefix}odd", 1, {"nonsense": "1"})])


async def test_more_copies_than_brokers_are_refused(kafka: str, topic_prefix: str) -> None:
    """By the setting's name, before anything is made."""
    specs = [TopicSpec(f"{topic_prefix}copies", 1)]
    with pytest.raises(SettingsError, match="HEADRACE_REPLICATION_FACTOR is 9"):
        await ensure_topics(KafkaConnection(kafka), specs, replication_factor=9)
    assert await describe(kafka, topic_prefix) == {}


async def test_copies_are_chosen_and_a_topic_that_cannot_be_written_is_said(kafka: str, topic_prefix: str) -> None:
    """A broker alone has one copy of each; a topic that wants two of them in sync takes nothing."""
    name = f"{topic_prefix}stuck"
    await ensure(kafka, [TopicSpec(name, 1, {"min.insync.replicas": "2"})])
    told: TopicReport | None = None

    async def said() -> bool:
        nonlocal told
        told = await ensure_topics(KafkaConnection(kafka), [TopicSpec(name, 1)], replication_factor=0)
        return bool(told.differing)

    await eventually(said, what="the topic is named")
    assert told is not None
    assert told.differing == [f"{name}: min.insync.replicas is 2, and there is 1 copy: nothing can be written to it"]


@pytest.mark.parametrize("address", ["127.0.0.1:1", "no-such-host.invalid:9092"])
async def test_without_a_broker_it_says_so_within_8_seconds(address: str) -> None:
    """Refused connections and unknown hosts end in one clear error."""
    started = monotonic()
    with pytest.raises(UnreachableError, match="KAFKA_BOOTSTRAP_SERVERS"):
        await ensure(address, [TopicSpec("any", 1)])
    assert monotonic() - started < scaled(8)
