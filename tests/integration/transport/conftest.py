"""One topic and one consumer group for each test of the transport."""

from pathlib import Path

import pytest

from tests.integration.transport.apps import Place


@pytest.fixture
async def place(kafka: str, topic_prefix: str, tmp_path: Path) -> Place:
    """This test's corner of the broker, its topic made."""
    place = Place(kafka, topic_prefix, tmp_path)
    await place.create_topic(place.topic, place.partitions)
    return place
