"""A workflow's verdict on an event, and its reason in a sentence: what is looked at before what."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.domain.evaluate import Plan, TurnedAway, evaluate
from app.ports.event_topics import TopicPlace
from app.ports.event_verdicts import InForce, KnownWorkflow, Letter, LoggedRun, WaitingRun
from app.services.ingest.admission import trigger_of
from app.services.operations.event_moments import Reading, reading_of
from app.services.operations.event_report import Verdict
from app.services.operations.verdict_words import Asked, Then, judged, logged, parted
from app.services.workflows.index import CompiledWorkflow, compile_workflow
from schemas.incoming import decode_event
from schemas.workflow import Revision
from tests.support.records import event_record

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
KIND = "order.paid"
WORKFLOW = KnownWorkflow(uuid4(), "w", KIND, active=True, created_at=AT, deleted_at=None)
IN_FORCE = InForce(2, AT, active=True, trigger_type=KIND, activated=None, near=False)
RUN = LoggedRun(
    uuid4(), WORKFLOW.id, "e", 1, 1, "success", conditions_met=True, error=None, executed_at=AT, verdicts=None
)
MAX_AGE = 3600.0
LETTER = Letter(7, TopicPlace("t", 0), 1, "e", "/s", "unsendable", "too large", "matcher")
WAITS = WaitingRun("a delay", AT)


def made(**config: Any) -> Plan[CompiledWorkflow] | TurnedAway[CompiledWorkflow]:
    """What the matchers' rule makes of an event: it runs, unless the trigger asks for more."""
    step = {"type": "apply_tag", "order": 1, "config": {"tag": "x"}}
    fields: dict[str, Any] = {
        "id": WORKFLOW.id,
        "version": 2,
        "name": "w",
        "active": True,
        "trigger": {"type": KIND, "config": config},
    }
    fields |= {"conditions": [], "actions": [step], "owner": UUID(int=2), "updated_at": AT}
    revision = compile_workflow(Revision.model_validate(fields))
    (plan,) = evaluate(trigger_of(decode_event(event_record(type=KIND))), [revision], now=AT)
    return plan


def reading(age: float | None, newest_before: float | None = None, rows: Sequence[datetime] = ()) -> Reading:
    """When an event was read whose time in Kafka is so many seconds ago, and of a record before it."""
    now = AT.timestamp()
    before = None if newest_before is None else now - newest_before
    return reading_of(None if age is None else now - age, before, rows, AT)


def then(in_force: InForce = IN_FORCE, age: float | None = 60.0, now: Asked | None = None, **changes: Any) -> Then:
    """What is known of an event, by its age."""
    known = Then(
        Asked(in_force, made()), now, KIND, uuid4(),
        not_yet=False, waiting=None, letter=None, reading=reading(age), max_age=MAX_AGE,
    )  # fmt: skip
    return replace(known, **changes)


@pytest.mark.parametrize(
    ("verdicts", "says"),
    [
        (
            [{"path": "n", "operator": ">=", "expected": 0, "actual": 7, "met": True, "reason": None}],
            "although its conditions were met (n is 7",
        ),
        ([], "although it has no conditions"),
        (None, "although its conditions were met: "),
    ],
)
def test_what_may_not_enter_again_is_said_with_its_conditions(verdicts: list[dict[str, Any]] | None, says: str) -> None:
    """As its execution says it; of verdicts that are not known, or too large, not that there are none."""
    run = replace(RUN, status="skipped", attempt=0, error="reentry: once", verdicts=verdicts)
    assert says in logged(WORKFLOW, run).why


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "ran"),
        ({"status": "failed"}, "ran"),
        ({"status": "skipped", "attempt": 2}, "ran"),
        ({"status": "blocked", "attempt": 0}, "blocked"),
        ({"status": "skipped", "attempt": 0, "conditions_met": True}, "not_allowed_again"),
        ({"status": "skipped", "attempt": 0, "conditions_met": False}, "conditions_not_met"),
        ({"status": "skipped", "attempt": 0, "conditions_met": False, "error": "too costly"}, "too_costly"),
    ],
)
def test_what_a_row_of_the_log_tells(changes: dict[str, Any], verdict: Verdict) -> None:
    """Whatever was attempted ran, also where it was skipped then; without an attempt the row says why not."""
    assert logged(WORKFLOW, replace(RUN, **changes)).verdict == verdict


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"waiting": WAITS, "letter": LETTER, "not_yet": True}, "under_way"),
        ({"letter": LETTER, "not_yet": True}, "dead_lettered"),
        ({"not_yet": True, "in_force": replace(IN_FORCE, active=False)}, "not_matched_yet"),
        ({"in_force": replace(IN_FORCE, version=None)}, "no_workflow_then"),
        ({"in_force": replace(IN_FORCE, active=False)}, "inactive"),
        ({"in_force": replace(IN_FORCE, active=False, activated=AT)}, "activated_later"),
        ({"in_force": replace(IN_FORCE, trigger_type="order.created")}, "other_trigger_then"),
        ({"age": 3600.0}, "no_trace"),
        ({"age": 3600.1}, "too_old"),
        ({"age": 3600.1, "in_force": replace(IN_FORCE, version=None)}, "too_old"),
        ({"reading": reading(9000.0, newest_before=10.0)}, "too_old"),
        ({"reading": reading(9000.0, rows=[AT - timedelta(seconds=8999)])}, "no_trace"),
        ({"age": None}, "under_way"),
        ({"age": 899.0}, "under_way"),
        ({"age": 900.0}, "no_trace"),
    ],
)
def test_what_is_said_without_a_row(changes: dict[str, Any], verdict: Verdict) -> None:
    """What is on its way goes before what was not there, and that before what the rule says."""
    said = judged(WORKFLOW, then(**changes))
    assert (said.verdict, said.dead_letter) == (verdict, 7 if verdict == "dead_lettered" else None)


def test_a_change_at_about_the_same_time_is_said() -> None:
    """Of what depends on the version that was asked; what is on its way does not."""
    near = then(replace(IN_FORCE, active=False, near=True))
    assert "within two seconds" in judged(WORKFLOW, near).why
    assert "within two seconds" not in judged(WORKFLOW, replace(near, waiting=WAITS)).why


def test_what_was_passed_over_is_said_for_certain_only_where_it_was_read_too_late() -> None:
    """Its age now says no more than that it may have been; a record before it that is too young for it says it was."""
    assert "when it was read" in judged(WORKFLOW, then(reading=reading(9000.0, newest_before=10.0))).why
    assert "where it had not been matched before" in judged(WORKFLOW, then(age=9000.0)).why


ABSENT = replace(IN_FORCE, version=None, activated=AT)
ASKS = Asked(replace(IN_FORCE, version=1), made(tag="vip"))
OFF = Asked(replace(IN_FORCE, version=3, active=False), made())


@pytest.mark.parametrize(
    ("in_force", "now", "other"),
    [
        (ABSENT, ASKS, 'tag "vip"'),
        (ABSENT, OFF, "is not active"),
        (ABSENT, Asked(replace(IN_FORCE, version=4), made()), None),
        (IN_FORCE, OFF, "is not active"),
        (replace(IN_FORCE, active=False), Asked(replace(IN_FORCE, active=False), made()), None),
    ],
)
def test_a_record_whose_time_is_old_may_have_come_later(in_force: InForce, now: Asked, other: str | None) -> None:
    """Both reasons are said where the workflow was changed since, unless what it is now had left a row."""
    core, beside = parted(judged(WORKFLOW, then(in_force, 1800.0, now)).why)
    assert ("If it came later" in beside, other is None or other in beside) == (other is not None, True)
    assert in_force is not ABSENT or core.startswith("By the event's time the workflow was not there yet")


def test_what_a_row_tells_is_no_matter_of_the_records_time() -> None:
    """All workflows are matched at once."""
    said = judged(WORKFLOW, then(ABSENT, reading=reading(9000.0, newest_before=10.0, rows=[AT])))
    assert said.why == "The workflow was not there yet. It was activated at 2026-03-01T09:30:00.000Z."


def test_records_before_it_tell_when_it_came() -> None:
    """By more than clocks differ; then it is said, and no claim is made about its own time."""
    early = judged(WORKFLOW, then(ABSENT, reading=reading(1800.0, newest_before=1750.0)))
    late = judged(WORKFLOW, then(ABSENT, reading=reading(1800.0, newest_before=60.0)))
    assert ("as of theirs" in early.why, "as of theirs: 2026-03-01T09:29:00.000Z" in late.why) == (False, True)
    assert not late.why.startswith("By the event's time")
