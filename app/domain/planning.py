"""The planner: one event and the workflows it triggers in, what is to be done out. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, Protocol, TypeVar
from uuid import UUID

from app.domain.causation import Link, read_chain
from app.domain.conditions import CompiledConditions, Evaluation, Scope
from app.domain.ids import execution_id
from app.domain.loops import loop_reason
from app.domain.shares import SAID, Shares
from app.domain.triggers import wants
from app.domain.wall import WallReachedError, lowered, ticked

# Of conditions that have not been seen to be long, this much is tried where their owner is over their share.
OVER_SHARE_S: Final = 0.03
OVER_SHARE: Final = f"conditions: not evaluated, as {SAID}"


class Matchable(Protocol):
    """An active workflow whose trigger type is the event's."""

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
    def trigger_config(self) -> Mapping[str, Any]:
        """What else its trigger asks of an event."""


W = TypeVar("W", bound=Matchable)


@dataclass(frozen=True, slots=True)
class Plan(Generic[W]):
    """What one workflow makes of one event: run it (``met``, and nothing blocks it) or log why not.

    Attributes:
        met: Whether its conditions hold; False also where they were not evaluated.
        blocked: Why it may not start although its trigger and conditions would let it; None where nothing does.
        costly: Why its conditions were not evaluated to their end; None where they were.
    """

    workflow: W
    execution_id: UUID
    met: bool
    verdicts: list[dict[str, Any]]
    blocked: str | None = None
    costly: str | None = None


@dataclass(frozen=True, slots=True)
class Trigger:
    """The event, as planning needs it: CloudEvents source and id, the whole envelope, its data.

    Attributes:
        causation: The chain that led to it.
        only: The one workflow that it is for; None: whichever it triggers.
    """

    source: str
    event_id: str
    envelope: Mapping[str, Any]
    data: Mapping[str, Any]
    causation: str | None = None
    only: UUID | None = None


def plan(trigger: Trigger, workflows: Iterable[W], *, now: datetime, shares: Shares | None = None) -> list[Plan[W]]:
    """Evaluate each workflow's conditions; conditions come before any action (specification, property 8).

    A workflow whose trigger config asks for another event makes no plan at all. The same event gives the same execution
    ids, however often it is delivered.

    Args:
        trigger: The event.
        workflows: Those of its type.
        now: The time.
        shares: What owners' conditions have taken; None where nobody waits behind them.
    """
    scope = Scope(data=trigger.data, event=trigger.envelope, now=now)
    chain = read_chain(trigger.causation) if trigger.causation else ()
    return [_plan(trigger, workflow, scope, chain, shares) for workflow in workflows if _is_for(trigger, workflow)]


def _is_for(trigger: Trigger, workflow: Matchable) -> bool:
    if trigger.only is not None:  # whoever names the workflow has chosen it: its trigger has nothing more to ask
        return trigger.only == workflow.id
    config = workflow.trigger_config
    return not config or wants(config, trigger.data)


def _plan(trigger: Trigger, workflow: W, scope: Scope, chain: Sequence[Link], shares: Shares | None) -> Plan[W]:
    execution = execution_id(workflow.id, trigger.source, trigger.event_id)
    loop = loop_reason(chain, workflow.id) if chain else None
    if loop is not None:
        return Plan(workflow, execution, met=False, verdicts=[], blocked=loop)
    if shares and not workflow.conditions.none and shares.refuses(workflow.owner, workflow.id):
        return Plan(workflow, execution, met=False, verdicts=[], costly=OVER_SHARE)
    over = shares is not None and bool(shares) and shares.wait(workflow.owner) > 0
    before = ticked()
    try:
        evaluation = _evaluated(workflow, scope, over=over)
    except WallReachedError as error:
        costly = OVER_SHARE if over else f"conditions: {error}"
        return Plan(workflow, execution, met=False, verdicts=[], costly=costly)
    finally:
        took = ticked() - before
        if shares is not None and (took or shares.watches(workflow.id)):
            shares.note(workflow.owner, workflow.id, took)
    return Plan(workflow, execution, evaluation.met, [verdict.as_json() for verdict in evaluation.verdicts])


def _evaluated(workflow: Matchable, scope: Scope, *, over: bool) -> Evaluation:
    """Evaluate conditions; of an owner who is ``over`` their share only if they turn out short: others wait."""
    if not over:
        return workflow.conditions.evaluate(scope)
    with lowered(OVER_SHARE_S):
        return workflow.conditions.evaluate(scope)
