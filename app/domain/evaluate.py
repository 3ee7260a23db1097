"""What becomes of an event: the one rule by which matchers, dry runs and explanations judge it. Pure.

An event and workflows in; out, for each, whether it is turned away by the trigger, starts, or why it does not. What
only a matcher knows (entries, budgets of runs, quotas) comes after it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

from app.domain.causation import Link, read_chain
from app.domain.conditions import CompiledConditions, Evaluation, Scope
from app.domain.ids import execution_id
from app.domain.loops import loop_reason
from app.domain.reentry import NoKeyError, Reentry
from app.domain.shares import SAID, Shares
from app.domain.statuses import ExecutionStatus
from app.domain.triggers import wants
from app.domain.wall import WallReachedError, lowered, ticked

# Of conditions that have not been seen to be long, this much is tried where their owner is over their share.
OVER_SHARE_S: Final = 0.03
OVER_SHARE: Final = f"conditions: not evaluated, as {SAID}"


class Matchable(Protocol):
    """An active workflow."""

    @property
    def id(self) -> UUID:
        """Workflow id."""

    @property
    def owner(self) -> UUID:
        """Whose it is."""

    @property
    def conditions(self) -> CompiledConditions:
        """Its conditions, compiled once per revision."""

    @property
    def trigger_type(self) -> str:
        """The type of the events that it awaits."""

    @property
    def trigger_config(self) -> Mapping[str, Any]:
        """What else its trigger asks of an event."""

    @property
    def reentry(self) -> Reentry | None:
        """How often an entity, or a value of its key, may enter; None: always."""


W = TypeVar("W", bound=Matchable)


class Outcome(StrEnum):
    """What becomes of an event that a workflow's trigger asks for."""

    RUNS = "runs"
    UNMET = "unmet"
    KEYLESS = "keyless"
    BLOCKED = "blocked"
    COSTLY = "costly"

    @property
    def status(self) -> ExecutionStatus | None:
        """How the execution ends before its first step; None where it starts."""
        if self is Outcome.RUNS:
            return None
        return ExecutionStatus.BLOCKED if self is Outcome.BLOCKED else ExecutionStatus.SKIPPED


class TurnedAway(NamedTuple, Generic[W]):
    """A workflow whose trigger asks for another event: there is no execution of it."""

    workflow: W


class Plan(NamedTuple, Generic[W]):
    """What one workflow makes of one event. A tuple, because thousands are made each second.

    Attributes:
        workflow: The workflow.
        execution_id: The same for the same event, however often it is delivered.
        outcome: Whether it runs, or what keeps it from running.
        met: Whether its conditions hold; False also where they were not evaluated.
        verdicts: Of its conditions, as far as they were evaluated.
        why: What keeps it from running, where that is not its conditions' verdicts.
        who: What its entry is counted by, if it runs and its entries are bounded: they have still to be asked.
    """

    workflow: W
    execution_id: UUID
    outcome: Outcome
    met: bool
    verdicts: list[dict[str, Any]]
    why: str | None = None
    who: str | None = None


@dataclass(frozen=True, slots=True)
class Trigger:
    """The event, as it is judged.

    Attributes:
        type: Its CloudEvents type.
        source: Its CloudEvents source.
        event_id: Its CloudEvents id.
        envelope: The whole of it.
        data: Its data.
        entity: Whom it is about: its record's key.
        causation: The chain that led to it.
        only: The one workflow that it is for; None: whichever it triggers.
    """

    type: str
    source: str
    event_id: str
    envelope: Mapping[str, Any]
    data: Mapping[str, Any]
    entity: str
    causation: str | None = None
    only: UUID | None = None


def evaluate(
    trigger: Trigger, workflows: Iterable[W], *, now: datetime, shares: Shares | None = None
) -> list[Plan[W] | TurnedAway[W]]:
    """Say what becomes of an event for each workflow; conditions come before any action.

    Args:
        trigger: The event.
        workflows: Active workflows.
        now: The time.
        shares: What owners' conditions have taken; None where no other owner waits behind them.
    """
    scope = Scope(data=trigger.data, event=trigger.envelope, now=now)
    chain = read_chain(trigger.causation) if trigger.causation else ()
    return [
        _plan(trigger, workflow, scope, chain, shares) if _is_for(trigger, workflow) else TurnedAway(workflow)
        for workflow in workflows
    ]


def entry_of(trigger: Trigger, reentry: Reentry) -> tuple[str | None, str | None]:
    """Return what an entry is counted by, or None and why the event cannot enter."""
    try:
        return reentry.who(trigger.entity, trigger.data, trigger.envelope), None
    except NoKeyError as error:
        return None, str(error)


def _is_for(trigger: Trigger, workflow: Matchable) -> bool:
    if trigger.type != workflow.trigger_type:
        return False
    if trigger.only is not None:  # the event was made for this workflow alone: its trigger has nothing more to ask
        return trigger.only == workflow.id
    config = workflow.trigger_config
    return not config or wants(config, trigger.data)


def _plan(trigger: Trigger, workflow: W, scope: Scope, chain: Sequence[Link], shares: Shares | None) -> Plan[W]:
    execution = execution_id(workflow.id, trigger.source, trigger.event_id)
    loop = loop_reason(chain, workflow.id) if chain else None
    if loop is not None:
        return Plan(workflow, execution, Outcome.BLOCKED, met=False, verdicts=[], why=loop)
    if shares and not workflow.conditions.none and shares.refuses(workflow.owner, workflow.id):
        return Plan(workflow, execution, Outcome.COSTLY, met=False, verdicts=[], why=OVER_SHARE)
    over = shares is not None and bool(shares) and shares.wait(workflow.owner) > 0
    before = ticked()
    try:
        evaluation = _evaluated(workflow, scope, over=over)
    except WallReachedError as error:
        costly = OVER_SHARE if over else f"conditions: {error}"
        return Plan(workflow, execution, Outcome.COSTLY, met=False, verdicts=[], why=costly)
    finally:
        took = ticked() - before
        if shares is not None and (took or shares.watches(workflow.id)):
            shares.note(workflow.owner, workflow.id, took)
    return _judged(trigger, workflow, execution, evaluation)


def _judged(trigger: Trigger, workflow: W, execution: UUID, evaluation: Evaluation) -> Plan[W]:
    verdicts = [verdict.as_json() for verdict in evaluation.verdicts]
    if not evaluation.met:
        return Plan(workflow, execution, Outcome.UNMET, met=False, verdicts=verdicts)
    who, why = entry_of(trigger, workflow.reentry) if workflow.reentry is not None else (None, None)
    outcome = Outcome.RUNS if why is None else Outcome.KEYLESS
    return Plan(workflow, execution, outcome, met=True, verdicts=verdicts, why=why, who=who)


def _evaluated(workflow: Matchable, scope: Scope, *, over: bool) -> Evaluation:
    """Evaluate conditions; of an owner who is ``over`` their share only if they turn out short: others wait."""
    if not over:
        return workflow.conditions.evaluate(scope)
    with lowered(OVER_SHARE_S):
        return workflow.conditions.evaluate(scope)
