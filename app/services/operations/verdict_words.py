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
from app.services.operations.event_moments import Reading
from app.services.operations.event_report import Verdict, WorkflowVerdict
from app.services.operations.explanations import explain
from app.services.workflows.index import CompiledWorkflow

# An execution's steps, attempts and the sink; what takes longer waits in a timer, and is found there.
_UNDER_WAY_S: Final = 15 * 60.0
NEAR: Final = " It was changed within two seconds of that, so another version may have been asked."
_LATER: Final = " If it came later than its time says, as replays do: "
_ORDER: Final = " Its own time is older than that of records which came before it, so it is judged as of theirs: "
# Of what has come, or was passed over, whichever version was asked.
_WHATEVER_WAS_ASKED: Final[frozenset[Verdict]] = frozenset({"not_matched_yet", "under_way", "dead_lettered", "too_old"})
_WITHOUT_A_ROW: Final[frozenset[Verdict]] = frozenset(
    {"no_workflow_then", "activated_later", "inactive", "other_trigger_then", "turned_away", "unreadable"}
)
_OF: Final[dict[Outcome, Verdict]] = {
    Outcome.UNMET: "conditions_not_met",
    Outcome.KEYLESS: "not_allowed_again",
    Outcome.BLOCKED: "blocked",
    Outcome.COSTLY: "too_costly",
}


Made = Plan[CompiledWorkflow] | TurnedAway[CompiledWorkflow] | None
Said = tuple[Verdict, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A workflow at a time, and an event.

    Attributes:
        in_force: Its revision at that time.
        made: What that makes of the event; None where there is none, or it waits for another type.
    """

    in_force: InForce
    made: Made


@dataclass(frozen=True, slots=True)
class Then:
    """What is known of a workflow and an event that it has no row of.

    Attributes:
        asked: The workflow as of when the event was read.
        asked_now: The workflow as it is now, where the event may have been read as late as that.
        event_type: The event's type.
        execution_id: What its execution would be.
        not_yet: The matchers have not finished the event.
        waiting: What the execution waits for.
        letter: The dead letter that it ended in.
        reading: When the event was read.
        max_age: Seconds after which events are passed over.
    """

    asked: Asked
    asked_now: Asked | None
    event_type: str
    execution_id: UUID
    not_yet: bool
    waiting: WaitingRun | None
    letter: Letter | None
    reading: Reading
    max_age: float


def logged(workflow: KnownWorkflow, run: LoggedRun) -> WorkflowVerdict:
    """Say what a row of the log tells."""
    verdict = _logged(run)
    shown = list(map(dict, run.verdicts or ())) if verdict == "conditions_not_met" else []
    why = f"Ran, and ended as {run.status}."
    if verdict != "ran":
        why = explain(run.status, conditions_met=run.conditions_met, verdicts=run.verdicts, results=[], error=run.error)
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


def judged(workflow: KnownWorkflow, then: Then) -> WorkflowVerdict:
    """Say what a workflow without a row made of an event."""
    verdict, why = _on_its_way(then) or _passed_over(then) or _asked(then, then.asked)
    in_force, plan = then.asked.in_force, then.asked.made
    shows_conditions = verdict == "conditions_not_met" and isinstance(plan, Plan)
    return WorkflowVerdict(
        workflow_id=workflow.id,
        workflow_name=workflow.name,
        verdict=verdict,
        why=why + _beside(then, verdict),
        basis="judged",
        version=in_force.version,
        execution_id=then.execution_id if verdict in {"under_way", "dead_lettered"} else None,
        since=in_force.activated if verdict in {"activated_later", "no_workflow_then"} else None,
        until=then.waiting.goes_on if verdict == "under_way" and then.waiting else None,
        conditions=plan.verdicts if shows_conditions and isinstance(plan, Plan) else [],
        dead_letter=then.letter.number if verdict == "dead_lettered" and then.letter else None,
    )


def parted(why: str) -> tuple[str, str]:
    """Part the reason from what is said beside it: how sure that is, and what else may have been."""
    begin = min((at for at in map(why.find, (_ORDER, NEAR, _LATER)) if at >= 0), default=len(why))
    return why[:begin], why[begin:].strip()


def _beside(then: Then, verdict: Verdict) -> str:
    if verdict in _WHATEVER_WAS_ASKED:
        return ""
    order = f"{_ORDER}{_moment(then.reading.at)}." if then.reading.out_of_order else ""
    near = NEAR if then.asked.in_force.near else ""
    return order + near + _later(then, verdict)


def _later(then: Then, verdict: Verdict) -> str:
    """Say what else may be the reason: what a workflow takes leaves a row, what it does not take leaves none."""
    if then.asked_now is None or then.asked_now.in_force.version == then.asked.in_force.version:
        return ""
    other, why = _asked(then, then.asked_now)
    return _LATER + why if verdict in _WITHOUT_A_ROW | {"no_trace"} and other in _WITHOUT_A_ROW else ""


def _on_its_way(then: Then) -> tuple[Verdict, str] | None:
    if then.waiting is not None:
        until = f"until {_moment(then.waiting.goes_on)}" if then.waiting.goes_on else "for its turn"
        return "under_way", f"It runs, and waits {until}: {then.waiting.reason or 'a delay'}."
    if then.letter is not None:
        letter = then.letter
        return "dead_lettered", f"Its execution ended in dead letter {letter.number}: {letter.reason}, {letter.detail}."
    if then.not_yet:
        return "not_matched_yet", "The matchers have not confirmed the event yet."
    return None


def _passed_over(then: Then) -> Said | None:
    """Say whether it was too old, as a matcher does before it looks at what it has read."""
    days = f"{then.max_age / 86_400:g} days"
    if then.reading.was_too_old(then.max_age):
        return "too_old", f"The event was older than {days} when it was read, and was passed over."
    if then.reading.may_have_been_too_old(then.max_age):
        return "too_old", f"The event is older than {days}, and was passed over where it had not been matched before."
    return None


def _asked(then: Then, asked: Asked) -> Said:
    return _not_there(then, asked) or _by_rule(then, asked.made)


def _not_there(then: Then, asked: Asked) -> Said | None:
    force = asked.in_force
    is_now = asked is then.asked_now
    by = "By the event's time the" if not is_now and not then.reading.told and not then.reading.out_of_order else "The"
    at = "is not active" if is_now else "was not active then"
    later = f" It was activated at {_moment(force.activated)}." if force.activated else ""
    if force.version is None:
        return "no_workflow_then", f"{by} workflow was not there yet.{later}"
    if not force.active:
        return ("activated_later" if later else "inactive"), f"{by} workflow {at}.{later}"
    if force.trigger_type != then.event_type:
        waits = "waits for" if is_now else "waited for"
        return "other_trigger_then", f"{by} workflow {waits} {force.trigger_type}{'' if is_now else ' then'}."
    return None


def _by_rule(then: Then, made: Made) -> Said:
    if made is None:
        return "unreadable", "The workflow's revision of then is one that no matcher can read."
    if isinstance(made, TurnedAway):
        asked = ", ".join(
            f"{name} {json.dumps(value, ensure_ascii=False)}" for name, value in made.workflow.trigger_config.items()
        )
        return "turned_away", f"Its trigger asks for more than the type: {asked}."
    if made.outcome is not Outcome.RUNS:
        status = made.outcome.status or ExecutionStatus.SKIPPED
        return _OF[made.outcome], explain(
            status, conditions_met=made.met, verdicts=made.verdicts, results=[], error=made.why
        )
    if then.reading.age < _UNDER_WAY_S:
        return "under_way", "It should run: its execution has not ended yet."
    return (
        "no_trace",
        "It should have run, and the log has no row of it; an administrator can look at the dead letters."
        + ("" if then.reading.told else " Where it has only just come, with an older time, it is on its way."),
    )


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
