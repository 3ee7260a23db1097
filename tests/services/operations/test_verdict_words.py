"""A workflow's verdict on an event, and its reason in a sentence: what is looked at before what."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.domain.evaluate import Plan, TurnedAway, evaluate
from app.ports.event_topics import TopicPlace
from app.ports.event_verdicts import InForce, KnownWorkflow, Letter, LoggedRun, WaitingRun
from app.services.ingest.admission import trigger_of
from app.services.operations.event_report import Verdict
from app.services.operations.verdict_words import Then, judged, logged
from app.services.workflows.index import CompiledWorkflow, compile_workflow
from schemas.incoming import decode_event
from schemas.workflow import Revision
from tests.support.records import event_record

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
KIND = "order.paid"
WORKFLOW = KnownWorkflow(uuid4(), "w", KIND, active=True, created_at=AT, deleted_at=None)
IN_FORCE = InForce(2, AT, active=True, trigger_type=KIND, activated=None, near=False)
THEN = Then(IN_FORCE, uuid4(), not_yet=False, waiting=None, letter=None, age=60.0, max_age=3600.0, only=None)
RUN = LoggedRun(
    uuid4(), WORKFLOW.id, "e", 1, 1, "success", conditions_met=True, error=None, executed_at=AT, verdicts=None
)
LETTER = Letter(7, TopicPlace("t", 0), 1, "e", "/s", "unsendable", "too large", "matcher")
WAITS = WaitingRun("a delay", AT)


def made() -> Plan[CompiledWorkflow] | TurnedAway[CompiledWorkflow]:
    """What the matchers' rule makes of an event: it runs."""
    step = {"type": "apply_tag", "order": 1, "config": {"tag": "x"}}
    fields: dict[str, Any] = {"id": WORKFLOW.id, "version": 2, "name": "w", "active": True, "trigger": {"type": KIND}}
    fields |= {"conditions": [], "actions": [step], "owner": UUID(int=2), "updated_at": AT}
    revision = compile_workflow(Revision.model_validate(fields))
    (plan,) = evaluate(trigger_of(decode_event(event_record(type=KIND))), [revision], now=AT)
    return plan


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
        ({"age": 3600.0, "max_age": 3600.0}, "no_trace"),
        ({"age": 3600.1, "max_age": 3600.0}, "too_old"),
        ({"age": None}, "under_way"),
        ({"age": 899.0}, "under_way"),
        ({"age": 900.0}, "no_trace"),
    ],
)
def test_what_is_said_without_a_row(changes: dict[str, Any], verdict: Verdict) -> None:
    """What is on its way goes before what was not there, and that before what the rule says."""
    said = judged(WORKFLOW, KIND, replace(THEN, **changes), made())
    assert (said.verdict, said.dead_letter) == (verdict, 7 if verdict == "dead_lettered" else None)


def test_a_change_at_about_the_same_time_is_said() -> None:
    """Of what depends on the version that was asked; what is on its way does not."""
    near = replace(THEN, in_force=replace(IN_FORCE, active=False, near=True))
    assert "within two seconds" in judged(WORKFLOW, KIND, near, made()).why
    assert "within two seconds" not in judged(WORKFLOW, KIND, replace(near, waiting=WAITS), made()).why
