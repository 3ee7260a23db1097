"""Which topics this client can see, and how many partitions each has: asked once, before anything is read or sent."""

import asyncio
from collections.abc import Mapping
from typing import Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from app.adapters.kafka.connecting import client_options
from app.adapters.kafka.reachability import problem, unreachable
from app.domain.errors import UnreachableError
from app.domain.kafka_connection import KafkaConnection

_WITHIN_S: Final = 5.0
_REQUEST_MS: Final = 4_000


async def topic_partitions(connection: KafkaConnection) -> Mapping[str, int]:
    """Return the number of partitions by topic. All topics are asked for, which creates none on any broker.

    Raises:
        UnreachableError: No server lets us in within some seconds; the text says why, and names the setting.
        SettingsError: A certificate's file cannot be used.
    """
    why = await problem(connection)
    if why:
        raise UnreachableError(why)
    client = AIOKafkaClient(client_id="headrace-check", request_timeout_ms=_REQUEST_MS, **client_options(connection))
    try:
        async with asyncio.timeout(_WITHIN_S):
            await client.bootstrap()
            cluster = await client.fetch_all_metadata()
    except (KafkaError, TimeoutError, OSError) as error:
        raise await unreachable(connection, error) from error
    finally:
        await client.close()
    topics = cluster.topics(exclude_internal_topics=False)
    return {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in topics}
