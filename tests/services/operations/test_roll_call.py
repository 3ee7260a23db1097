"""The roll call: every process by its heartbeat, and what is missing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.commands.status import table
from app.ports.heartbeats import Heartbeat, Process
from app.services.operations.roll_call import WRONG, Present, roll_call, spoken

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def beat(role: str, instance: str = "1", **more: object) -> Heartbeat:
    """A heartbeat of a process that has run for an hour; a second old unless said otherwise."""
    row = Heartbeat(Process(role, instance, "host-a", 17, "0.1.0", NOW - timedelta(hours=1)), 1.0)
    return replace(row, **more)  # type: ignore[arg-type]


def states(*rows: Heartbeat, expected: tuple[str, ...] = ("sink",)) -> list[tuple[str, str, str]]:
    """Role, instance and state of each."""
    return [(one.role, one.instance, one.state) for one in roll_call(rows, expected, {}, NOW)]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ((beat("sink"),), [("sink", "1", "ready")]),
        ((beat("sink", problems={"kafka": "no answer"}),), [("sink", "1", "not ready")]),
        ((beat("sink", age_s=31.0),), [("sink", "1", "lost")]),
        ((beat("sink", age_s=3600.0),), [("sink", "1", "lost")]),
        ((beat("sink", age_s=3600.0), beat("sink", "2")), [("sink", "1", "gone"), ("sink", "2", "ready")]),
        ((beat("sink", age_s=60.0), beat("sink", "2")), [("sink", "1", "lost"), ("sink", "2", "ready")]),
        ((beat("sink", stopped=True), beat("sink", "2")), [("sink", "1", "stopped"), ("sink", "2", "ready")]),
        ((beat("sink", stopped=True),), [("sink", "1", "stopped"), ("sink", "", "absent")]),
        ((), [("sink", "", "absent")]),
    ],
)
def test_each_process_is_judged(rows: tuple[Heartbeat, ...], found: list[tuple[str, str, str]]) -> None:
    """One that was scaled away is no concern while another does its work; a role without any process always is."""
    assert states(*rows) == found


def test_roles_come_in_their_order_and_unexpected_ones_last() -> None:
    """Such as sources that no setting here asks for; one of those that is lost for long is gone."""
    rows = (beat("sources", age_s=3600.0), beat("matcher"), beat("sink"))
    assert states(*rows, expected=("sink", "matcher")) == [
        ("sink", "1", "ready"),
        ("matcher", "1", "ready"),
        ("sources", "1", "gone"),
    ]
    assert {"ready", "gone", "stopped"}.isdisjoint(WRONG)


def test_it_says_why_and_for_how_long() -> None:
    """Each problem by its check; restarts are one less than starts."""
    row = beat("sink", problems={"kafka": "away", "frontier": "still"}, starts=4)
    (one,) = roll_call([row], ["sink"], {"sink": 7}, NOW)
    assert one == Present("sink", "not ready", "kafka: away; frontier: still", "1", "host-a", "0.1.0", 3600.0, 3, 7)
    assert [spoken(seconds) for seconds in (0, 59.9, 60, 7_200, 200_000)] == ["0s", "60s", "1m", "2h", "2d"]


def test_the_table_shows_a_roles_lag_once() -> None:
    """It is that of all of its processes together."""
    rows = [beat("sink"), beat("sink", "2", problems={"kafka": "away"})]
    assert table(roll_call(rows, ["sink", "admin"], {"sink": 1234}, NOW)) == [
        ("sink", "ready", "1,234", "1h", "0", "1", "host-a", "0.1.0", ""),
        ("sink", "not ready", "", "1h", "0", "2", "host-a", "0.1.0", "kafka: away"),
        ("admin", "absent", "", "", "", "", "", "", "no process of this role is there"),
    ]
