"""The message that our transport hands out: Faust's, with its place in the frontier."""

from typing import Any, Final

from app.adapters.kafka.faust_parts import TP, ConsumerMessage
from app.adapters.kafka.frontier import DROPPED, Lane
from app.domain.record_times import NO_TIMESTAMP

_OWN_SLOTS = ("lane", "size", "state")

# What a record takes in memory beside its bytes, in the frontier and in an executor's pool; and when it is finished.
RECORD_BYTES: Final = 1024
PLACE_BYTES: Final = 400


class TrackedMessage(ConsumerMessage):
    """A record: ``key``, ``value`` (bytes or None), ``headers`` (pairs), ``timestamp`` (seconds), and its place.

    It is built straight from aiokafka's record, which is cheaper than Faust's own constructor.
    """

    __slots__ = _OWN_SLOTS

    lane: Lane
    size: int
    state: int

    def __init__(self, tp: TP, record: Any, generation: int) -> None:
        self.topic, self.partition = tp
        self.tp = tp
        self.offset = record.offset
        stamp = record.timestamp
        self.timestamp = None if stamp is None or stamp == NO_TIMESTAMP else stamp / 1000.0
        self.timestamp_type = record.timestamp_type
        self.headers = record.headers
        self.key = record.key
        self.value = record.value
        self.checksum = None
        self.serialized_key_size = record.serialized_key_size
        self.serialized_value_size = record.serialized_value_size
        self.acked = False
        self.refcount = 0
        self.tracked = False
        self.time_in = self.time_out = self.time_total = None
        self.generation_id = generation
        self.state = DROPPED
        self.size = RECORD_BYTES + len(record.value or b"") + len(record.key or b"")
        if record.headers:
            self.size += sum(len(name) + len(value or b"") for name, value in record.headers)

    def lighten(self) -> None:
        """Give up key, value and headers: the record is finished or dropped, and only keeps its place."""
        self.key = self.value = None
        self.headers = ()
        self.size = PLACE_BYTES
