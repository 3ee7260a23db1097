"""Every topic that gets hostile records, and what is made of them there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Final
from uuid import UUID

from app.actions.registry import REGISTRY
from app.topics import Topics
from schemas.event_types import is_own_type
from tests.hostile.events import event_kinds, reserved_kinds, wrong_topic_kinds
from tests.hostile.kinds import Document, Drawn, Ground, Kind, draw
from tests.hostile.others import command_kinds, execution_kinds, letter_kinds, source_kinds
from tests.integration.poison import command, execution

# One type of each topic of events, temporal ones being on the internal one; the last comes from another system's topic.
TYPES: Final = (
    "customer.created",
    "order.paid",
    "message.received",
    "appointment.created",
    "commission.paid",
    "tag.removed",
    "temporal.monthly",
    "custom.hostile",
    "custom.sourced",
)
SOURCED: Final = TYPES[-1]
SOURCES: Final = {SOURCED: "/sources/hostile"}


def name_of(topics: Topics) -> str:
    """Return what the names of all topics of a run begin with, those of the other system too."""
    return topics.prefix.removesuffix(".")


def foreign_topic(topics: Topics) -> str:
    """Return the topic that stands for another system's."""
    return f"{name_of(topics)}-foreign"


def source_settings(topics: Topics) -> dict[str, Any]:
    """Return the source whose records are read as events."""
    paths = {"id": "id", "entity": "subject", "time": "time", "data": "data"}
    return {"name": "hostile", "topic": foreign_topic(topics), "type": SOURCED, **paths}


@dataclass(frozen=True, slots=True)
class Front:
    """A topic with its kinds."""

    ground: Ground
    kinds: tuple[Kind, ...]


def fronts(topics: Topics, workflow: UUID) -> Iterator[Front]:
    """Yield every topic with what may be sent there; ``workflow`` is that of slips that may become rows."""
    yield from fronts_of_events(topics)
    for action in REGISTRY.names():
        for lane in ("normal", "high"):
            yield _front(topics.actions(action, lane), _slip(action, workflow), _event_data, command_kinds)
    yield _front(topics.executions, _execution, _event_data, execution_kinds)
    yield source_front(topics)
    yield _front(topics.dead_letters, _letter, lambda document: document, letter_kinds)


def fronts_of_events(topics: Topics) -> Iterator[Front]:
    """Yield what the matcher reads."""
    for event_type in TYPES[:-1]:
        if not is_own_type(event_type):
            yield _front(topics.events(event_type), _event(event_type), _data, _outside_kinds)
    yield _front(topics.internal_events, _event("custom.hostile"), _data, event_kinds)


def source_front(topics: Topics) -> Front:
    """Return the other system's topic."""
    return _front(foreign_topic(topics), _event(SOURCED), _data, source_kinds)


def draw_all(topics: Topics, workflow: UUID, count: int, seed: int, only: str = "") -> list[Drawn]:
    """Draw so many hostile records a topic; ``only`` of the kinds whose names hold that."""
    drawn: list[Drawn] = []
    for front in fronts(topics, workflow):
        kinds = [kind for kind in front.kinds if only in kind.name]
        chance = Random(f"{seed}{front.ground.topic.removeprefix(name_of(topics))}")
        drawn += draw(front.ground, kinds, count, chance) if kinds else ()
    return drawn


def _front(
    topic: str,
    fresh: Callable[[Random], Document],
    data: Callable[[Document], Document],
    kinds: Callable[[str, Document], Iterator[Kind]],
) -> Front:
    return Front(Ground(topic, fresh, data), tuple(kinds(topic, fresh(Random(topic)))))


def _outside_kinds(topic: str, good: Document) -> Iterator[Kind]:
    yield from event_kinds(topic, good)
    yield from reserved_kinds()
    yield from wrong_topic_kinds(good["type"])


def _data(document: Document) -> Document:
    found: Document = document["data"]
    return found


def _event_data(document: Document) -> Document:
    found: Document = document["event"]["data"]
    return found


def _event(event_type: str) -> Callable[[Random], Document]:
    def fresh(chance: Random) -> Document:
        customer = f"hostile-{chance.randrange(50)}"
        return {
            "specversion": "1.0",
            "id": f"hostile-{chance.getrandbits(64):016x}",
            "source": "/hostile",
            "type": event_type,
            "subject": customer,
            "time": datetime.now(UTC).isoformat(),
            "data": {"order": {"n": -1, "total": 999}, "customer": {"id": customer, "email": "hostile@example.com"}},
        }

    return fresh


def _slip(action: str, workflow: UUID) -> Callable[[Random], Document]:
    made = _event("custom.hostile")
    return lambda chance: command(workflow, made(chance), {"type": action, "config": {"nonsense": 1}})


def _execution(chance: Random) -> Document:
    return execution(_any_id(chance), _event("custom.hostile")(chance))


def _letter(chance: Random) -> Document:
    return {
        "v": 1,
        "topic": f"hostile-{chance.getrandbits(32)}",
        "partition": 0,
        "offset": 1,
        "reason": "r",
        "detail": "d",
        "size": 0,
        "cut": False,
        "role": "t",
        "failed_at": datetime.now(UTC).isoformat(),
    }


def _any_id(chance: Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)
