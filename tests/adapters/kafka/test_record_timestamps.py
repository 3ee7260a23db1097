"""Kafka's timestamps as both readers hand them over."""

from aiokafka.structs import ConsumerRecord
from faust.types import TP

from app.adapters.kafka.messages import TrackedMessage
from app.adapters.kafka.reading import ReadRecord


def both(milliseconds: int | None) -> tuple[float | None, float | None]:
    """The timestamp, as the roles' transport and the plain consumer have it."""
    record = ConsumerRecord("t", 0, 7, milliseconds, 0, b"k", b"v", None, 1, 1, ())
    return TrackedMessage(TP("t", 0), record, 1).timestamp, ReadRecord.of(record).timestamp


def test_no_timestamp_is_none() -> None:
    """-1 is Kafka's word for a record without one, which is not one of 1969 and too old."""
    assert both(-1) == both(None) == (None, None)


def test_any_other_is_what_it_is() -> None:
    """In seconds, however absurd."""
    for milliseconds in (0, -2, 1_772_359_200_500, 2**62):
        assert both(milliseconds) == (milliseconds / 1000, milliseconds / 1000)
