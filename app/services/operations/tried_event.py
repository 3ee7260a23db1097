"""What a workflow that is tried makes of its event, by the very rule of the matcher: ``app.domain.evaluate``."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from app.domain.callers import NOBODY
from app.domain.errors import FieldError, InvalidError
from app.domain.evaluate import Outcome, Plan, Trigger, TurnedAway, entry_of, evaluate
from app.domain.grants import Use
from app.domain.wall import MESSAGE
from app.domain.written_workflow import WRITTEN
from app.services.ingest.emitter import event_key, valid_event
from app.services.operations.dry_run_report import EntryReport
from app.services.workflows.index import CompiledWorkflow, compile_workflow
from schemas.field_errors import under
from schemas.workflow import Revision, WorkflowDraft

SOURCE: Final = "/headrace/test"
NOBODYS: Final = Use(NOBODY, NOBODY)
_PLANNED: Final = tuple(name for name in WRITTEN if name != "description")


def compiled(draft: WorkflowDraft, use: Use) -> CompiledWorkflow:
    """Return a workflow as the matchers' index would hold it.

    Raises:
        InvalidError: Its conditions do not compile.
    """
    written: dict[str, Any] = {name: getattr(draft, name) for name in _PLANNED}
    revision = Revision.model_construct(
        id=use.workflow, version=1, active=True, owner=use.owner, updated_at=datetime.now(UTC), **written
    )
    return compile_workflow(revision)


def tried_event(draft: WorkflowDraft, use: Use, attributes: Mapping[str, Any]) -> Trigger:
    """Return an event as a matcher would read it, with its attributes as they are written; those left out are made up.

    Raises:
        InvalidError: It breaks the contract.
    """
    made_up = {"specversion": "1.0", "id": str(uuid4()), "source": SOURCE, "type": draft.trigger.type, "data": {}}
    envelope = {**made_up, **attributes}
    try:
        event = valid_event(envelope)
    except InvalidError as error:
        raise InvalidError(under("event", error.errors)) from None
    return Trigger(
        event.type,
        event.source,
        event.id,
        envelope,
        event.data,
        event_key(event),
        event.causation,
        None if use.workflow == NOBODYS.workflow else event.workflowid,  # a draft has no id that an event could name
    )


def judged(trigger: Trigger, workflow: CompiledWorkflow) -> tuple[Plan[CompiledWorkflow], bool]:
    """Return what becomes of the event, and True; where it is turned away, what else would become of it, and False.

    Raises:
        InvalidError: The conditions take too much CPU for this event.
    """
    now = datetime.now(UTC)
    (made,) = evaluate(trigger, [workflow], now=now)
    matched = not isinstance(made, TurnedAway)
    if not matched:
        (made,) = evaluate(replace(trigger, type=workflow.trigger_type, only=workflow.id), [workflow], now=now)
    if isinstance(made, TurnedAway):
        raise TypeError("a workflow turned away an event that is for it alone")
    if made.outcome is Outcome.COSTLY:
        raise InvalidError([FieldError("conditions", MESSAGE)])
    return made, matched


def entry_report(trigger: Trigger, workflow: CompiledWorkflow) -> EntryReport | None:
    """Return what would be asked about the re-entry; None where it is not bounded."""
    reentry = workflow.reentry
    if reentry is None:
        return None
    who, why = entry_of(trigger, reentry)
    return EntryReport(key=reentry.counted_by, value=who, how_often=reentry.how_often, error=why)
