"""The planner: one event and the workflows it triggers in, what is to be done out. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from app.domain.conditions import CompiledConditions, Scope
from app.domain.ids import execution_id


class Matchable(Protocol):
    """An active workflow whose trigger type is the event's."""

    @property
    def id(self) -> UUID:
        """Workflow id."""

    @property
    def conditions(self) -> CompiledConditions:
        """Its conditions, compiled once per revision."""


W = TypeVar("W", bound=Matchable)


@dataclass(frozen=True, slots=True)
class Plan(Generic[W]):
    """What one workflow makes of one event: run it (``met``) or log why not."""

    workflow: W
    execution_id: UUID
    met: bool
    verdicts: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Trigger:
    """The event, as planning needs it: CloudEvents source and id, the whole envelope, its data."""

    source: str
    event_id: str
    envelope: Mapping[str, Any]
    data: Mapping[str, Any]


def plan(trigger: Trigger, workflows: Iterable[W], *, now: datetime) -> list[Plan[W]]:
    """Evaluate each workflow's conditions; conditions come before any action (specification, property 8).

    The same event gives the same execution ids, however often it is delivered.
    """
    scope = Scope(data=trigger.data, event=trigger.envelope, now=now)
    plans = []
    for workflow in workflows:
        evaluation = workflow.conditions.evaluate(scope)
        verdicts = [verdict.as_json() for verdict in evaluation.verdicts]
        execution = execution_id(workflow.id, trigger.source, trigger.event_id)
        plans.append(Plan(workflow, execution, evaluation.met, verdicts))
    return plans
