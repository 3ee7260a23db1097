"""Records that the process which reads them dies of: one of each way to die, for each role that reads."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Final
from uuid import UUID

from app.topics import Topics
from tests.hostile.grounds import foreign_topic, fronts
from tests.hostile.kinds import Drawn, Ground, Kind, Shot
from tests.support.faulty_worker import mark

CRASHES: Final = "crashes"
WAYS: Final = ("exit", "raise")
READERS: Final = (
    "matcher",
    "executor-notification",
    "executor-crm",
    "executor-workflow",
    "executor-system",
    "sink",
    "sources",
)
# Two deaths to suspect a record, one over a group that holds it, three over it alone; and one to spare.
DEATHS: Final = 7


def reader_topics(topics: Topics) -> dict[str, str]:
    """Return a topic of each role that reads any."""
    actions = (topics.actions(kind, "normal") for kind in ("send_email", "apply_tag", "create_task", "webhook"))
    found = (topics.events("custom.hostile"), *actions, topics.executions, foreign_topic(topics))
    return dict(zip(READERS, found, strict=True))


def plant(topics: Topics, workflow: UUID, chance: Random) -> Iterator[Drawn]:
    """Yield them."""
    grounds = {front.ground.topic: front.ground for front in fronts(topics, workflow)}
    for role, topic in reader_topics(topics).items():
        for way in WAYS:
            kind = Kind(f"{role} dies: {way}", CRASHES, _marked(mark(role, way)))
            yield Drawn(kind, kind.make(grounds[topic], chance))


def _marked(said: str) -> Callable[[Ground, Random], Shot]:
    def make(ground: Ground, chance: Random) -> Shot:
        document = ground.fresh(chance)
        ground.data(document)["note"] = said
        return ground.shot(document)

    return make
