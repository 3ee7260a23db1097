"""What operators and clusters do to Kafka: offsets set back, partitions added, a broker lost, connections ended."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition

from app.actions.registry import REGISTRY
from app.adapters.kafka.admin import ensure_topics
from app.topics import declare
from tests.faults.scenario import SHARED, Harm, Injury, Place, now, over
from tests.support.consumer_groups import group_admin
from tests.support.stack import ROLES
from tests.support.waiting import eventually

_TIMES_AS_MANY: Final = 2
_USED_WITHIN_S: Final = 30.0
_SENDERS: Final = ("matcher-1", "executor-system-1", "executor-crm-1")


async def to_earliest(place: Place) -> Harm:
    """Half-way, stop the roles that read, set their groups back to the beginning of all topics, start them again."""
    await asyncio.sleep(place.seconds / 2)
    readers = [place.stack.worker(role) for role in SHARED]
    await asyncio.gather(*(worker.stop() for worker in readers))
    groups = [f"{place.stack.topics.prefix}{worker.role}" for worker in readers]
    assert sum([await _set_back(place.stack.bootstrap, group) for group in groups]), "no group had read anything"
    for worker in readers:
        worker.start()
    await place.stack.ready()
    return over()


async def _set_back(bootstrap: str, group: str) -> int:
    """Do what ``kafka-consumer-groups.sh --reset-offsets --all-topics --to-earliest`` does; returns of how much."""
    async with group_admin(bootstrap) as admin:
        places = list(await admin.list_consumer_group_offsets(group))
    if not places:
        return 0  # a role that has had nothing to do
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        first = await consumer.beginning_offsets(places)
        consumer.assign(places)
        await consumer.commit(first)
    finally:
        await consumer.stop()
    return len(places)


async def more_partitions(place: Place) -> Harm:
    """Double the partitions of every topic of events and actions under load, then restart the roles one by one."""
    await asyncio.sleep(place.seconds / 4)
    stack, old = place.stack, place.stack.settings
    settings = old.model_copy(
        update={
            "events_partitions": _TIMES_AS_MANY * old.events_partitions,
            "actions_partitions": _TIMES_AS_MANY * old.actions_partitions,
        }
    )
    declared = list(declare(settings, REGISTRY.names()))
    await ensure_topics(settings.kafka_connection, declared, replication_factor=0, add_partitions=True)
    await asyncio.sleep(place.seconds / 4)
    for role in ROLES:
        await stack.again(
            role,
            {
                "HEADRACE_EVENTS_PARTITIONS": str(settings.events_partitions),
                "HEADRACE_ACTIONS_PARTITIONS": str(settings.actions_partitions),
            },
        )
    harm = over()
    added = [
        TopicPartition(topic.name, number)
        for topic in declared
        if topic.partitions == settings.actions_partitions
        for number in range(old.actions_partitions, settings.actions_partitions)
    ]
    used = partial(_any_records, stack.bootstrap, added)
    await eventually(used, within=_USED_WITHIN_S, every=1.0, what="records on the partitions that were added")
    return harm


async def _any_records(bootstrap: str, places: Sequence[TopicPartition]) -> bool:
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        return any((await consumer.end_offsets(places)).values())


def nothing(quiet_s: float) -> Injury:
    """Do nothing: the load pauses by itself half-way, and the broker ends connections that stand idle meanwhile."""

    async def injure(place: Place) -> Harm:
        await asyncio.sleep(place.seconds / 2)
        at_first = _connections(place)
        await asyncio.sleep(quiet_s)
        left = _connections(place)
        # Of who sends under load; who had nothing to send had no other than it reads by, and that is never idle.
        kept = [name for name in _SENDERS if at_first[name] <= left[name]]
        assert not kept, f"the broker ended no connection of {kept}"
        await asyncio.sleep(place.seconds / 2)
        return over()

    return injure


def _connections(place: Place) -> dict[str, set[int]]:
    """Return each process's own ports of its connections to the broker."""
    there = int(place.stack.bootstrap.rpartition(":")[2])
    found: dict[str, set[int]] = {}
    for name, pid in place.stack.pids().items():
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        every = [one for process in family for one in process.net_connections("tcp")]
        found[name] = {one.laddr.port for one in every if one.raddr and one.raddr.port == there}
    return found


def lose_a_broker(seconds_down: float) -> Injury:
    """Kill -9 one of the brokers, so that its partitions' leaders are elected anew; start it again later."""

    async def injure(place: Place) -> Harm:
        node = place.chance.choice(place.nodes)
        await asyncio.sleep(place.seconds / 4)
        await asyncio.to_thread(node.kill)
        await asyncio.sleep(seconds_down)
        harm = over(kafka=1)
        node.spawn()
        await asyncio.to_thread(node.wait_ready)
        harm.over_at = now()
        return harm

    return injure
