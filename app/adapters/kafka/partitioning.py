"""Which partition a record goes to: Kafka's own choice by key, with each key hashed once.

aiokafka hashes in Python, byte by byte, which takes longer than anything else that producing costs a record; the same
entities come again and again.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

from aiokafka.partitioner import DefaultPartitioner, murmur2
from aiokafka.structs import TopicPartition

# Of at most half a kilobyte each (schemas/incoming.py), most of them some dozens of bytes.
_REMEMBERED: Final = 8192
_POSITIVE: Final = 0x7FFFFFFF

_without_key: Final = DefaultPartitioner()


@lru_cache(maxsize=_REMEMBERED)
def hash_of(key: bytes) -> int:
    """Return the hash that Kafka's clients share out keys by."""
    return int(murmur2(key)) & _POSITIVE


def choose(key: bytes | None, partitions: Sequence[int], available: Sequence[int]) -> int:
    """Return the partition for a key, as every client of Kafka does; one of those available where there is no key."""
    if key is None:
        chosen: int = _without_key(key, partitions, available)
        return chosen
    return partitions[hash_of(key) % len(partitions)]


class Partitions:
    """The partitions of one topic.

    Args:
        topic: Its name.
        numbers: All of them.
        available: Given the topic, returns those that have a leader now; None where the topic is gone.
    """

    def __init__(self, topic: str, numbers: Iterable[int], available: Callable[[str], Iterable[int] | None]) -> None:
        self._topic = topic
        self._numbers = sorted(numbers)
        self._places = {number: TopicPartition(topic, number) for number in self._numbers}
        self._available = available

    def of(self, key: bytes | None) -> TopicPartition:
        """Return where a record with this key goes."""
        available = () if key is not None else tuple(self._available(self._topic) or ())
        return self._places[choose(key, self._numbers, available)]
