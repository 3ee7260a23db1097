"""Whether topics exist: told apart from a broker that does not answer, or does not know yet."""

import asyncio
import time
from collections.abc import Collection
from typing import Any, Final

from aiokafka.errors import KafkaError

from app.domain.errors import UnreachableError

_WITHIN_S: Final = 5.0
_LOOK_AGAIN_S: Final = 0.5
_REMEMBERED_S: Final = 60.0


class TopicLookup:
    """Asks the cluster for all of its topics, which creates none under any setting of the broker.

    Args:
        client: aiokafka's client of the producer that is to send.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._missed: dict[str, float] = {}

    def knows(self, topic: str) -> bool:
        """Whether the producer knows the topic's partitions, so that sending to it waits for nothing."""
        return self._client.cluster.partitions_for_topic(topic) is not None

    async def missing(self, topics: Collection[str]) -> set[str]:
        """Return those that do not exist, by two answers half a second apart, or one where it was so a minute ago.

        Raises:
            UnreachableError: No broker answers.
        """
        missing = await self._look(topics)
        now = time.monotonic()
        self._missed = {topic: until for topic, until in self._missed.items() if until > now}
        if not missing <= self._missed.keys():
            # A broker that has just started may not know of all yet.
            await asyncio.sleep(_LOOK_AGAIN_S)
            missing = await self._look(missing)
        self._missed.update(dict.fromkeys(missing, now + _REMEMBERED_S))
        return missing

    async def _look(self, topics: Collection[str]) -> set[str]:
        try:
            async with asyncio.timeout(_WITHIN_S):
                cluster = await self._client.fetch_all_metadata()
        except (KafkaError, TimeoutError) as error:
            raise UnreachableError("Kafka does not say which topics there are") from error
        known: set[str] = cluster.topics(exclude_internal_topics=False)
        return set(topics) - known
