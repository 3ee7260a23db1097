"""A workflow's verdict on an event, with its reason in a sentence. Pure."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from app.domain.evaluate import Outcome, Plan, TurnedAway
from app.domain.reentry import since_of
from app.domain.statuses import ExecutionStatus
from app.ports.event_verdicts import InForce, KnownWorkflow, Letter, LoggedRun, WaitingRun
from app.services.operations.event_report import Verdict, WorkflowVerdict
from app.services.operations.explanations import explain
from app.services.workflows.index import CompiledWorkflow

# An execution's steps, attempts and the sink; what takes longer waits in a timer, and is found there.
_UNDER_WAY_S: Final = 15 * 60.0
NEAR: Final = " It was changed within two seconds of that, so another version may have been asked."
_OF: Final[dict[Outcome, Verdict]] = {
    Outcome.UNMET: "conditions_not_met",
    Outcome.KEYLESS: "not_allowed_again",
    Outcome.BLOCKED: "blocked",
    Outcome.COSTLY: "too_costly",
}


@dataclass(frozen=True, slots=True)
class Then:
    """What is known of a workflow and an event that it has no row of.

    Attributes:
        in_force: Its revision at that time.
        execution_id: What its execution would be.
        not_yet: The matchers have not finished the event.
        waiting: What the execution waits for.
        letter: The dead letter that it ended in.
        age: Seconds since the event came into Kafka, as far as that is known.
        max_age: Seconds after which events are passed over.
        only: The one workflow that the event is for.
    """

    in_force: InForce
    execution_id: UUID
    not_yet: bool
    waiting: WaitingRun | None
    letter: Letter | None
    age: float | None
    max_age: float
    only: UUID | None


def logged(workflow: KnownWorkflow, run: LoggedRun) -> WorkflowVerdict:
    """Say what a row of the log tells."""
    verdict = _logged(run)
    shown = list(map(dict, run.verdicts or ())) if verdict == "conditions_not_met" else []
    why = f"Ran, and ended as {run.status}."
    if verdict != "ran":
        why = explain(run.status, conditions_met=run.conditions_met, verdicts=shown, results=[], error=run.error)
    return WorkflowVerdict(
        workflow_id=workflow.id,
        workflow_name=workflow.name,
        verdict=verdict,
        why=why,
        basis="log",
        version=run.version,
        execution_id=run.id,
        status=run.status,
        attempt=run.attempt,
        since=since_of(run.error) if verdict == "not_allowed_again" and run.error else None,
        conditions=shown,
    )


def _logged(run: LoggedRun) -> Verdict:
    if run.attempt:
        return "ran"
    if run.status == ExecutionStatus.BLOCKED:
        return "blocked"
    if run.status != ExecutionStatus.SKIPPED:
        return "ran"
    if run.conditions_met:
        return "not_allowed_again"
    return "too_costly" if run.error else "conditions_not_met"


def judged(
    workflow: KnownWorkflow,
    event_type: str,
    then: Then,
    made: Plan[CompiledWorkflow] | TurnedAway[CompiledWorkflow] | None,
) -> WorkflowVerdict:
    """Say what a workflow without a row made of an event.

    Args:
        workflow: The workflow.
        event_type: The event's type.
        then: What is known beside.
        made: What its revision of then makes of the event; None where there is none, or it waits for another type.
    """
    for said in (_on_its_way(then), _not_there(event_type, then), _by_rule(then, made)):
        if said is not None:
            break
    assert said is not None, "the rule has a word for everything"
    verdict, why = said
    plan = made if isinstance(made, Plan) else None
    shows_conditions = verdict == "conditions_not_met" and plan is not None
    near = NEAR if then.in_force.near and verdict not in {"not_matched_yet", "under_way", "dead_lettered"} else ""
    return WorkflowVerdict(
        workflow_id=workflow.id,
        workflow_name=workflow.name,
        verdict=verdict,
        why=why + near,
        basis="judged",
        version=then.in_force.version,
        execution_id=then.execution_id if verdict in {"under_way", "dead_lettered"} else None,
        since=then.in_force.activated if verdict in {"activated_later", "no_workflow_then"} else None,
        until=then.waiting.due if verdict == "under_way" and then.waiting else None,
        conditions=plan.verdicts if shows_conditions and plan is not None else [],
        dead_letter=then.letter.number if verdict == "dead_lettered" and then.letter else None,
    )


def _on_its_way(then: Then) -> tuple[Verdict, str] | None:
    if then.waiting is not None:
        return "under_way", f"It runs, and waits until {_moment(then.waiting.due)}: {then.waiting.reason or 'a delay'}."
    if then.letter is not None:
        letter = then.letter
        return "dead_lettered", f"Its execution ended in dead letter {letter.number}: {letter.reason}, {letter.detail}."
    if then.not_yet:
        return "not_matched_yet", "The matchers have not confirmed the event yet."
    return None


def _not_there(event_type: str, then: Then) -> tuple[Verdict, str] | None:
    force = then.in_force
    later = f" It was activated at {_moment(force.activated)}." if force.activated else ""
    if force.version is None:
        return "no_workflow_then", f"The workflow was not there yet.{later}"
    if not force.active:
        return ("activated_later" if later else "inactive"), f"The workflow was not active then.{later}"
    if force.trigger_type != event_type:
        return "other_trigger_then", f"The workflow waited for {force.trigger_type} then."
    return None


def _by_rule(
    then: Then, made: Plan[CompiledWorkflow] | TurnedAway[CompiledWorkflow] | None
) -> tuple[Verdict, str] | None:
    if made is None:
        return "unreadable", "The workflow's revision of then is one that no matcher can read."
    if isinstance(made, TurnedAway):
        asked = ", ".join(
            f"{name} {json.dumps(value, ensure_ascii=False)}" for name, value in made.workflow.trigger_config.items()
        )
        return "turned_away", f"Its trigger asks for more than the type: {asked}."
    if then.age is not None and then.age > then.max_age:
        days = then.max_age / 86_400
        return "too_old", f"The event is older than {days:g} days, and was passed over where it had not been matched."
    if made.outcome is not Outcome.RUNS:
        status = made.outcome.status or ExecutionStatus.SKIPPED
        return _OF[made.outcome], explain(
            status, conditions_met=made.met, verdicts=made.verdicts, results=[], error=made.why
        )
    if then.age is None or then.age < _UNDER_WAY_S:
        return "under_way", "It should run: its execution has not ended yet."
    return (
        "no_trace",
        "It should have run, and the log has no row of it; an administrator can look at the dead letters.",
    )


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
