"""How the bench of the API counts."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from app.adapters.postgres.execution_log_sql import WRITE
from tests.benchmarks.api_data import pieces
from tests.benchmarks.api_looks import OWNERS, looks
from tests.benchmarks.api_statements import summarised
from tests.benchmarks.sink import VARIANTS


def _line(pid: int, ms: float, step: str, which: int, text: str = "SELECT 1") -> dict[str, Any]:
    message = f"duration: {ms} ms  {step} <unnamed>: {text}"
    return {"user": "api", "pid": pid, "message": message, "query_id": which}


def test_a_query_takes_what_parsing_planning_and_running_take() -> None:
    """Each session's lines belong together, whatever is between them in the file; the slowest query comes first."""
    entries = [
        _line(1, 1.0, "parse", 0), _line(2, 0.5, "parse", 0), _line(1, 20.0, "bind", 7), _line(2, 0.25, "bind", 8),
        {"user": "api", "pid": 2, "message": "disconnection", "query_id": 0}, _line(1, 30.5, "execute", 7),
        _line(2, 0.25, "execute", 8, "SELECT\n  2"), _line(2, 1.0, "execute", 7),
    ]  # fmt: skip
    assert [(one.text, one.runs, one.p99_ms, one.most_ms) for one in summarised(entries)] == [
        ("SELECT 1", 2, 51.5, 51.5),
        ("SELECT 2", 1, 1.0, 1.0),
    ]


def test_the_log_is_filled_evenly_day_by_day() -> None:
    """No piece is over two days, none is left out, and a run goes on at the row after the last."""
    since, until = datetime(2026, 3, 1, 7, 30, tzinfo=UTC), datetime(2026, 3, 3, 7, 30, tzinfo=UTC)
    made = list(pieces(since, until, 100, 60_000))
    assert [(made[0].since, made[-1].until), (made[0].first, sum(one.count for one in made))] == [
        (since, until),
        (101, 120_000),
    ]
    for one, following in pairwise(made):
        assert (one.until, one.first + one.count) == (following.since, following.first)
    assert all(one.since.date() == one.until.date() or one.until.hour == one.until.minute == 0 for one in made)


def test_every_question_has_a_name_of_its_own() -> None:
    """Their figures are told apart by it; and every caller asks the log by each filter."""
    for who in ("admin", *OWNERS):
        names = [one.name for one in looks(who)]
        assert len(names) == len(set(names))
        for word in (
            "workflow_id=",
            "status=",
            "event_type=",
            "entity=",
            "event_id=",
            "search=",
            "time=",
            "oldest first",
        ):
            assert any(name.startswith("executions") and word in name for name in names)


def test_what_is_measured_apart_is_a_part_of_the_sinks_statement() -> None:
    """Each form that leaves something out of it is shorter, and is balanced."""
    for one in VARIANTS:
        taken = one.take(WRITE)
        assert taken.count("(") == taken.count(")")
        assert (len(taken) < len(WRITE)) == (one.name in {"without the feed", "without last runs", "without any of it"})
