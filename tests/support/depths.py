"""Depths of lanes that a test sets."""

from collections.abc import Mapping, Sequence

from app.domain.errors import UnreachableError
from app.ports.queue_status import Lane, Progress


class MemoryDepths:
    """Answers what it was told.

    Attributes:
        known: Depth by topic.
        at: Where groups are, by topic.
        reachable: Set it to False, and every question fails as with a broker that is down.
        asked: How often it was asked.
    """

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self.at: dict[str, int] = {}
        self.reachable = True
        self.asked = 0

    async def depths(self, lanes: Sequence[Lane]) -> Mapping[str, int]:
        """Return the depths of the lanes' topics; see :class:`app.ports.queue_status.DepthSource`."""
        self.asked += 1
        if not self.reachable:
            raise UnreachableError("Kafka does not answer (told so by the test)")
        return {lane.topic: self.known.get(lane.topic, 0) for lane in lanes}

    async def progress(self, lanes: Sequence[Lane]) -> Mapping[str, Progress]:
        """Return how far groups are; see :class:`app.ports.queue_status.DepthSource`."""
        return {topic: Progress(waits, self.at.get(topic, 0)) for topic, waits in (await self.depths(lanes)).items()}
