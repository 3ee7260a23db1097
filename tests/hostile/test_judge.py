"""The judgement notices what is missing, what is wrong and what nobody asked for."""

import json

import pytest

from app.domain.errors import PoisonError
from app.execution.log_writing import give_up
from app.ports import Record
from tests.hostile.judge import Report, judge_letters, unstored
from tests.hostile.kinds import Drawn, Kind, Shot
from tests.hostile.others import UNSTORED
from tests.hostile.sending import Place
from tests.hostile.watch import Memory, Watch
from tests.support.records import FakeRecord

PLACE = ("h.events.order", 1, 7)
SHOT = Shot(Record(PLACE[0], b"k", b"{"))
PLACES: dict[Place, Drawn] = {PLACE: Drawn(Kind("cut", "not_json", lambda _, __: SHOT), SHOT)}


def judged(found: dict[Place, list[tuple[str, str]]]) -> Report:
    """Judge these letters."""
    report = Report(1)
    judge_letters(report, PLACES, found)
    return report


def test_a_letter_with_its_reason_is_well() -> None:
    """Nothing is wrong, and the topic's numbers agree."""
    report = judged({PLACE: [("not_json", "unexpected end")]})
    assert report.holds
    assert (report.bad, report.lettered, report.by_topic) == (1, 1, {PLACE[0]: {"bad": 1, "lettered": 1}})


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, "no dead letter, not not_json"),
        ({PLACE: [("internal_error", "KeyError")]}, "[('internal_error', 'KeyError')], not not_json"),
        ({PLACE: [("not_json", ""), ("not_json", "")]}, "not not_json"),
        ({PLACE: [("not_json", "")], ("h.executions", 0, 1): [("refused", "")]}, "h.executions/0/1 is a dead letter"),
    ],
)
def test_everything_else_is_wrong(found: dict[Place, list[tuple[str, str]]], said: str) -> None:
    """No letter, another reason, two of them, and one of a record that was good."""
    (wrong,) = judged(found).wrong
    assert said in wrong


def test_what_the_sink_leaves_in_kafka_is_found_in_its_log(caplog: pytest.LogCaptureFixture) -> None:
    """As the sink says it, by place; a record that it says nothing of is not found."""
    place, other = ("h.dead-letters", 0, 3), ("h.dead-letters", 0, 4)
    drawn = Drawn(Kind("none", UNSTORED, lambda _, __: SHOT), SHOT)
    give_up(
        FakeRecord(None, topic=place[0], partition=place[1], offset=place[2]),
        PoisonError("tombstone", "the record has no value"),
    )
    (said,) = caplog.records
    line = json.dumps({"message": said.message} | {key: said.__dict__[key] for key in ("topic", "partition", "offset")})
    assert unstored({place: drawn, other: drawn}, f"{line}\n") == {place: [(UNSTORED, "")]}


def test_a_role_that_died_by_itself_is_wrong() -> None:
    """Started again as often as it was killed is well, once more is not, and no other role makes up for it."""
    report = Report(1)
    report.take_watch({"matcher": 2, "sink": 2, "admin": 0}, {"matcher": 2, "sink": 1, "admin": 1}, {}, {})
    assert report.restarts_beyond_kills == 1
    assert report.wrong == ["sink was started again 1 times more often than it was killed"]


def test_planted_crashes_are_counted_apart() -> None:
    """A role may die of what is planted in it, a few times, and no more."""
    report = Report(1)
    report.take_watch({"matcher": 7, "sink": 9}, {"matcher": 1, "sink": 2}, {}, {"matcher": 6, "sink": 6})
    assert (report.kills, report.restarts_for_crashes, report.restarts_beyond_kills) == (3, 12, 1)
    assert report.wrong == ["sink was started again 1 times more often than it was killed"]


def test_memory_that_grows_is_wrong() -> None:
    """The last third's peak is compared with the first's, role by role."""
    watch = Watch({}, [(float(at), "sink", 100.0 + 50 * (at > 20)) for at in range(31)])
    assert watch.memory() == {"sink": Memory(100.0, 150.0, 150.0)}
    assert Memory(100.0, 150.0, 150.0).flat
    report = Report(1)
    report.take_watch({}, {}, {"sink": Memory(100.0, 190.0, 190.0)}, {})
    assert report.wrong == ["sink's memory grew from 100.0 to 190.0 MiB"]
