"""The workflows in memory, by trigger type: what the matcher looks events up in (docs/design.md#12-workflow-table).

Fed by the workflow table's changelog, where the same revision may come twice and an older one after a newer one; a
version only ever goes up here, so the order of arrival does not matter.
"""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain.conditions import CompiledConditions, compile_conditions
from app.domain.reentry import Reentry, parse_reentry
from app.domain.triggers import check_trigger
from schemas.command import Lane, PinnedRevision
from schemas.workflow import HIGH_LANE_BELOW, Revision


class Applied(StrEnum):
    """What became of a change; each is a metric's label."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DELETED = "deleted"
    FORGOTTEN = "forgotten"
    STALE = "stale"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The last trace of a deleted workflow went; its ``deleted`` revision came days before."""

    id: UUID


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A newer revision came that breaks its contract; what it was to replace must not run on."""

    id: UUID
    version: int
    reason: str


Change = Revision | Tombstone | Unreadable


@dataclass(frozen=True, slots=True)
class CompiledWorkflow:
    """An active workflow, ready to be matched; no more of its revision than that, as matchers hold all there are.

    Attributes:
        version: Of its revision.
        priority: It comes before workflows of a higher one.
        trigger_type: The type of the events that it awaits.
        trigger_config: What else its trigger asks of an event.
        conditions: Its conditions, compiled once, here.
        first_action: The type of its first action.
        lane: ``high`` for priorities 1 to 3.
        encoded: What each of its executions carries along, as JSON.
        reentry: How often an entity, or a value of its key, may enter; None: always.
    """

    id: UUID
    owner: UUID
    version: int
    priority: int
    trigger_type: str
    trigger_config: Mapping[str, Any]
    conditions: CompiledConditions
    first_action: str
    lane: Lane
    encoded: bytes
    reentry: Reentry | None

    @property
    def pinned(self) -> PinnedRevision:
        """What each of its executions carries along; read anew each time."""
        return PinnedRevision.model_validate_json(self.encoded)


class WorkflowIndex:
    """Newest revision of each workflow, found by trigger type.

    Attributes:
        broken: Why a workflow's newest revision does not compile, by workflow id; such a workflow never matches.
        complete: Set once everything that was in the changelog at the start has been applied.
    """

    def __init__(self) -> None:
        self.broken: dict[UUID, str] = {}
        self.complete = asyncio.Event()
        self._versions: dict[UUID, int] = {}
        self._forgotten: dict[UUID, int] = {}
        self._active: dict[UUID, CompiledWorkflow] = {}
        self._by_type: dict[str, dict[UUID, CompiledWorkflow]] = {}
        # Put in order when an event asks: a cold start would sort ten thousand of one type ten thousand times.
        self._in_order: dict[str, tuple[CompiledWorkflow, ...]] = {}

    def __len__(self) -> int:
        return len(self._active)

    def matching(self, event_type: str) -> tuple[CompiledWorkflow, ...]:
        """Active workflows with this trigger type, by priority, then id."""
        found = self._in_order.get(event_type)
        if found is None and event_type in self._by_type:
            found = tuple(sorted(self._by_type[event_type].values(), key=_rank))
            self._in_order[event_type] = found
        return found or ()

    def versions(self) -> Mapping[UUID, int]:
        """Newest version seen of each workflow, deleted ones too until their tombstone came."""
        return self._versions

    def is_active(self, workflow_id: UUID) -> bool:
        """Whether events can start this workflow."""
        return workflow_id in self._active

    def apply(self, change: Change) -> Applied:
        """Take a change in and say what became of it; never raises on what the contract allows."""
        if isinstance(change, Tombstone):
            return self._forget(change.id)
        if change.version <= max(self._versions.get(change.id, 0), self._forgotten.get(change.id, 0)):
            return Applied.STALE
        self._versions[change.id] = change.version
        self.broken.pop(change.id, None)
        self._deactivate(change.id)
        if isinstance(change, Unreadable):
            self.broken[change.id] = change.reason
            return Applied.BROKEN
        if change.deleted:
            return Applied.DELETED
        return self._activate(change) if change.active else Applied.INACTIVE

    def _activate(self, revision: Revision) -> Applied:
        try:
            workflow = compile_workflow(revision)
        except Exception as error:  # noqa: BLE001 - with anything wrong in one workflow, the others go on
            self.broken[revision.id] = f"{type(error).__name__}: {error}"
            return Applied.BROKEN
        self._active[revision.id] = workflow
        self._by_type.setdefault(workflow.trigger_type, {})[workflow.id] = workflow
        self._in_order.pop(workflow.trigger_type, None)
        return Applied.ACTIVE

    def _deactivate(self, workflow_id: UUID) -> None:
        workflow = self._active.pop(workflow_id, None)
        if workflow is None:
            return
        peers = self._by_type[workflow.trigger_type]
        del peers[workflow_id]
        if not peers:
            del self._by_type[workflow.trigger_type]
        self._in_order.pop(workflow.trigger_type, None)

    def _forget(self, workflow_id: UUID) -> Applied:
        # The number stays: a changelog that is read again from its start must not bring the workflow back to life.
        self._forgotten[workflow_id] = max(self._versions.pop(workflow_id, 0), self._forgotten.get(workflow_id, 0))
        self.broken.pop(workflow_id, None)
        self._deactivate(workflow_id)
        return Applied.FORGOTTEN


def compile_workflow(revision: Revision) -> CompiledWorkflow:
    """Compile a revision.

    Raises:
        InvalidError: Its conditions are wrong, which saving it should have refused.
        ValueError: The same of its re-entry, or of its trigger: one that cannot be judged by would stop all others.
    """
    check_trigger(revision.trigger.config)
    actions = sorted(revision.actions, key=lambda action: action.order)
    pinned = PinnedRevision(
        id=revision.id, version=revision.version, name=revision.name, owner=revision.owner, actions=actions
    )
    lane: Lane = "high" if revision.priority < HIGH_LANE_BELOW else "normal"
    return CompiledWorkflow(
        id=revision.id,
        owner=revision.owner,
        version=revision.version,
        priority=revision.priority,
        trigger_type=revision.trigger.type,
        trigger_config=revision.trigger.config,
        conditions=compile_conditions(revision.conditions, stored=True),
        first_action=sys.intern(actions[0].type),
        lane=lane,
        # A copy of its own size: what orjson returns keeps the 4 or 8 KiB that it was written into.
        encoded=bytes(memoryview(pinned.encode())),
        reentry=parse_reentry(revision.reentry),
    )


def _rank(workflow: CompiledWorkflow) -> tuple[int, UUID]:
    return workflow.priority, workflow.id
