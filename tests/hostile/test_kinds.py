"""Each kind gets from its topic's reader the reason that its table says, whatever chance makes of it."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from app.domain.errors import PoisonError
from app.domain.record_times import check_record_time
from app.execution.routing import read_command
from app.services.ingest.admission import Admission
from app.services.ingest.sources import SourceTurner
from app.topics import Topics
from schemas.incoming import decode_event
from schemas.source import Source
from tests.hostile.grounds import SOURCED, Front, foreign_topic, fronts, source_settings
from tests.hostile.kinds import Kind, draw
from tests.hostile.others import FAILED_ROW
from tests.support.records import FakeRecord

TOPICS = Topics("hostile.")
SEEDS = range(12)


def reader(topic: str) -> Callable[[FakeRecord], Any] | None:
    """Return what reads a record of a topic before anything else does; None where Postgres has to say."""
    if topic in TOPICS.all_events():
        return _read_event
    if topic.startswith(f"{TOPICS.prefix}actions."):
        return partial(read_command, action_type=topic.removeprefix(f"{TOPICS.prefix}actions.").removesuffix(".high"))
    if topic == foreign_topic(TOPICS):
        return SourceTurner(Source.model_validate(source_settings(TOPICS)), TOPICS).turn
    return None


def _read_event(record: FakeRecord) -> None:
    check_record_time(record.timestamp or 0.0, time.time())
    Admission(TOPICS).check(decode_event(record).event, record.topic)


def cases() -> Iterator[Any]:
    """Yield one topic of each sort of reader, and each of its kinds."""
    chosen = (
        TOPICS.events("order.paid"),
        TOPICS.internal_events,
        TOPICS.actions("webhook", "normal"),
        foreign_topic(TOPICS),
    )
    for front in fronts(TOPICS, uuid4()):
        if front.ground.topic in chosen:
            for kind in front.kinds:
                if kind.reason == FAILED_ROW:
                    continue
                yield pytest.param(front, kind, id=f"{front.ground.topic}: {kind.name}")


@pytest.mark.parametrize(("front", "kind"), list(cases()))
def test_a_kind_gets_its_reason(front: Front, kind: Kind) -> None:
    """Its reader refuses it with just that reason, whatever the seed."""
    read = reader(front.ground.topic)
    assert read is not None
    for seed in SEEDS:
        shot = kind.make(front.ground, Random(seed))
        record, at = shot.record, time.time() if shot.at_ms is None else shot.at_ms / 1000
        with pytest.raises(PoisonError) as refused:
            read(FakeRecord(record.value, key=record.key, topic=record.topic, headers=record.headers, timestamp=at))
        assert refused.value.reason == kind.reason


def test_every_topic_that_a_role_reads_is_attacked() -> None:
    """Each topic of events, both lanes of every action type, executions, dead letters and another system's topic."""
    topics = {front.ground.topic for front in fronts(TOPICS, uuid4())}
    assert {*TOPICS.all_events(), TOPICS.executions, TOPICS.dead_letters, foreign_topic(TOPICS)} < topics
    assert {TOPICS.actions("webhook", "high"), TOPICS.actions("delay", "normal")} < topics
    assert TOPICS.events(SOURCED) in topics


def test_kinds_have_names_of_their_own() -> None:
    """A report that names a kind names one."""
    for front in fronts(TOPICS, uuid4()):
        names = [kind.name for kind in front.kinds]
        assert len(names) == len(set(names))


def test_the_same_seed_makes_the_same_records() -> None:
    """What has been found once can be sent again; each kind comes at least once."""
    front = next(iter(fronts(TOPICS, uuid4())))
    first, second = ([one.kind.name for one in draw(front.ground, front.kinds, 200, Random(5))] for _ in range(2))
    assert first == second
    assert set(first) == {kind.name for kind in front.kinds}
