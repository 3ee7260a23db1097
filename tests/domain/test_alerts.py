"""Judging alerts, and what is told of them: pure, over given readings and a given clock."""

import pytest

from app.domain.alert_messages import MOST_LINES, message, news, now_told, said
from app.domain.alert_rules import ALERTS, BY_NAME, ROLES, Alert, Kind, Severity, Unit
from app.domain.alert_states import Standing, Wrong, judge
from app.processes.role_names import role_names

LEVEL = BY_NAME["HeadraceQueueDepth"]
COUNTED = BY_NAME["HeadraceDeadLetters"]
GROWING = BY_NAME["HeadraceLagGrowing"]


def run(alert: Alert, *readings: tuple[float, dict[str, float] | None]) -> Standing:
    """Judge an alert by readings one after the other; returns what it stands at in the end."""
    standing = Standing()
    for at, reading in readings:
        standing = judge(alert, standing, reading, at)
    return standing


def test_the_specification_s_four_alerts_have_its_thresholds() -> None:
    """Failure rate over 10 %, depth over 1,000, time over 10 s, and a breaker that is open: 2, half-open is 1."""
    named = {alert.name: (alert.above, alert.unit) for alert in ALERTS[:4]}
    assert named == {
        "ExecutionFailureRate": (0.1, Unit.SHARE),
        "QueueDepth": (1000, Unit.COUNT),
        "ExecutionTime": (10, Unit.SECONDS),
        "BreakerOpen": (1, Unit.COUNT),
    }


def test_every_role_is_missed() -> None:
    """The roles of the alert are those that the product has."""
    assert set(ROLES) == {*role_names(), "admin"}


def test_it_fires_once_it_has_held() -> None:
    """Wrong for as long as it says, without a break: not a moment earlier, and not at the threshold."""
    assert not run(LEVEL, (0, {"sink": 1001}), (299, {"sink": 1001})).firing
    assert run(LEVEL, (0, {"sink": 1001}), (300, {"sink": 1001})).firing
    assert not run(LEVEL, (0, {"sink": 1001}), (150, {"sink": 1000}), (300, {"sink": 1001})).firing
    assert not run(LEVEL, (0, {"sink": 1000}), (900, {"sink": 1000})).subjects


def test_each_subject_holds_by_itself() -> None:
    """Two roles that are wrong by turns are not one that is wrong all the time."""
    standing = run(LEVEL, (0, {"sink": 2000}), (200, {"matcher": 2000}), (400, {"matcher": 2000}))
    assert not standing.firing


def test_it_is_over_once_all_has_been_right_for_a_while() -> None:
    """What comes back within two minutes was never over."""
    wrong, right = {"sink": 2000.0}, {"sink": 0.0}
    firing = ((0, wrong), (300, wrong))
    assert run(LEVEL, *firing, (310, right), (419, right)).firing
    assert not run(LEVEL, *firing, (310, right), (420, right)).firing
    back = run(LEVEL, *firing, (310, right), (410, wrong), (420, right))
    assert back.firing["sink"].since == 0


def test_what_cannot_be_known_changes_nothing() -> None:
    """While Kafka does not answer a firing alert goes on, and a silent one stays silent."""
    assert run(LEVEL, (0, {"sink": 2000}), (300, {"sink": 2000}), (9000, None)).firing
    assert not run(LEVEL, (0, None), (9000, None)).subjects


def test_counters_count_from_the_first_look() -> None:
    """What was counted before anybody looked is no news; what comes then is, also of a process that is new."""
    assert not run(COUNTED, (0, {"sink/1": 7})).firing
    assert run(COUNTED, (0, {"sink/1": 7}), (15, {"sink/1": 8})).firing["sink"].value == 1
    assert run(COUNTED, (0, {"sink/1": 7}), (15, {"sink/1": 7, "matcher/2": 3})).firing["matcher"].value == 3


def test_a_process_that_starts_anew_counts_from_nought() -> None:
    """A counter that fell was begun again: what it says now has come since."""
    assert run(COUNTED, (0, {"sink/1": 7}), (15, {"sink/1": 2})).firing["sink"].value == 2


def test_an_increase_is_forgotten_with_its_window() -> None:
    """Ten minutes after the last dead letter there is none any more, and two minutes later that is said."""
    readings = [(15.0 * n, {"sink/1": 1.0 if n else 0.0}) for n in range(60)]
    standing = run(COUNTED, *readings)
    assert not standing.firing
    assert run(COUNTED, *readings[:41]).firing
    assert len(standing.past) <= 25


def test_a_growth_needs_a_whole_window() -> None:
    """Nothing grows until it is known how it was ten minutes ago; then it has to grow for ten minutes."""
    rising = [(30.0 * n, {"sink": 6.0 * n}) for n in range(41)]
    assert not run(GROWING, *rising[:20]).subjects
    assert run(GROWING, *rising).firing
    flat = [(30.0 * n, {"sink": 5000.0}) for n in range(60)]
    assert not run(GROWING, *flat).subjects


def test_news_are_what_a_channel_does_not_know() -> None:
    """Each change once: what fires and was not told, and what was told and does not fire any more."""
    standings = {
        LEVEL.full_name: Standing({"sink": Wrong(0, 9, 2000, firing=True), "matcher": Wrong(5, 9, 3000, firing=False)})
    }
    begun = news(standings, {})
    assert [(alert.name, subject) for alert, subject, _ in begun.begun] == [("QueueDepth", "sink")]
    assert not news(standings, now_told(standings))
    ended = news({}, now_told(standings))
    assert [(alert.name, subject) for alert, subject in ended.ended] == [("QueueDepth", "sink")]
    assert not news({}, {"HeadraceOfAnEarlierRelease": ["x"]})


def test_a_message_says_all_that_has_changed_at_once() -> None:
    """One title, a line for each, what it means and where to read on; too many are counted."""
    standings = {LEVEL.full_name: Standing({"sink": Wrong(0, 9, 2000, firing=True)})}
    title, body = message(news(standings, {BY_NAME["HeadraceOutboxOld"].full_name: [""]}))
    assert title == "Headrace: 1 firing, 1 resolved"
    assert body.splitlines() == [
        "FIRING warning: HeadraceQueueDepth: sink has 2000 records to do",
        f"  {LEVEL.description}",
        "  docs/alerts.md#headracequeuedepth",
        "RESOLVED: HeadraceOutboxOld",
    ]
    many = {LEVEL.full_name: Standing({f"r{n:02}": Wrong(0, 9, 2000, firing=True) for n in range(30)})}
    assert message(news(many, {}))[1].splitlines()[-1] == f"and {30 - MOST_LINES} more: see docs/alerts.md"


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (Unit.SHARE, 0.256, "26%"),
        (Unit.SECONDS, 12.34, "12.3 s"),
        (Unit.SECONDS, 61.0, "1 min 1 s"),
        (Unit.COUNT, 3.0, "3"),
    ],
)
def test_values_are_written_for_people(unit: Unit, value: float, text: str) -> None:
    """Shares in percent, seconds with minutes, counts whole."""
    assert said(unit, value) == text


def test_alerts_are_well_formed() -> None:
    """A window where something is counted over one, subjects where a label tells them apart, few critical ones."""
    for alert in ALERTS:
        assert bool(alert.window_s) == (alert.kind is not Kind.LEVEL)
        assert ("{subject}" in alert.summary) == bool(alert.by)
    assert len(BY_NAME) == len(ALERTS)
    assert {alert.severity for alert in ALERTS} == set(Severity)
