"""One topic and one consumer group for each test of the transport."""

import gc
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.transport.apps import Place


@pytest.fixture
async def place(kafka: str, topic_prefix: str, tmp_path: Path) -> Place:
    """This test's corner of the broker, its topic made."""
    place = Place(kafka, topic_prefix, tmp_path)
    await place.create_topic(place.topic, place.partitions)
    return place


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Bury what stock Faust and aiokafka's clients leave open when they stop, before it fails some other test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
