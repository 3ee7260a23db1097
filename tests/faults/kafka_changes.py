"""What operators and clusters do to Kafka: offsets set back, partitions added, a broker lost, connections ended."""

import asyncio
from typing import Final

from aiokafka import AIOKafkaConsumer

from app.actions.registry import REGISTRY
from app.adapters.kafka.admin import ensure_topics
from app.topics import declare
from tests.faults.scenario import SHARED, Harm, Injury, Place, now, over
from tests.support.consumer_groups import group_admin
from tests.support.stack import ROLES

_TIMES_AS_MANY: Final = 2


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
    declared = declare(settings, REGISTRY.names())
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
    return over()


async def nothing(place: Place) -> Harm:
    """Do nothing: the load pauses by itself, and the broker ends the connections meanwhile."""
    await asyncio.sleep(place.seconds)
    return over()


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
