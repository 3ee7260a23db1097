"""What publishing a draft would change: in words, for what waits, and for events like those that came last.

The events are those that the log holds: of the workflow itself, and of the caller's other workflows of the same type,
which tell of events that this one's trigger turns away. Both the draft and what is live judge each by the matcher's own
rule, as of now; where the log has what really became of one, that is what is shown of the live version.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import Field

from app.domain.callers import Caller
from app.domain.errors import InvalidError
from app.domain.evaluate import Outcome
from app.domain.grants import Use
from app.domain.written_workflow import comparable
from app.ports.preview import LoggedEvent, PreviewStore
from app.ports.workflows import WorkflowStore
from app.services.access.cpu_budget import breathe
from app.services.operations.tried_event import compiled, judged, tried_event
from app.services.workflows.comparing import Difference, told
from app.services.workflows.draft_rows import of_workflow
from app.services.workflows.drafting import DraftService, found_draft
from app.services.workflows.drafts import DraftReader
from app.services.workflows.editing import MISSING, found, in_full
from app.services.workflows.index import CompiledWorkflow
from schemas.base import Contract
from schemas.problem import ProblemError
from schemas.workflow import Workflow, WorkflowDraft

EVENTS: Final = 200
MOST_WAITING: Final = 10_000
Judgement = Literal["runs", "conditions_not_met", "turned_away", "cannot_enter", "blocked", "cannot_be_judged"]
_JUDGEMENTS: Final[Mapping[Outcome, Judgement]] = {
    Outcome.RUNS: "runs",
    Outcome.UNMET: "conditions_not_met",
    Outcome.KEYLESS: "cannot_enter",
    Outcome.BLOCKED: "blocked",
    Outcome.COSTLY: "cannot_be_judged",
}


class JudgedEvent(Contract):
    """An event that the draft judges otherwise than what is live.

    Attributes:
        execution_id: The row of the log that holds it.
    """

    execution_id: UUID
    event_id: str
    event_source: str
    live: Judgement
    draft: Judgement


class Judged(Contract):
    """How the draft judges the newest logged events of its type, beside how the live version does.

    Attributes:
        events: How many there were.
        live: How many came to what, of the live version.
        draft: The same of the draft.
        different: Those that the two judge differently.
    """

    event_type: str
    events: int
    live: dict[str, int]
    draft: dict[str, int]
    different: list[JudgedEvent]


class PublishPreview(Contract):
    """What publishing would change.

    Attributes:
        waiting: Executions that wait, and finish on the version they began with; no more than 10,000 are counted.
        problems: What keeps the draft from being published, what is missing among it.
        judged: None where the draft cannot be judged for what is wrong with it.
    """

    workflow_id: UUID
    live_version: int
    draft_version: int
    words: list[str]
    waiting: int
    problems: list[ProblemError] = Field(default_factory=list)
    judged: Judged | None = None


class PreviewService:
    """The use case.

    Args:
        store: Where workflows and drafts are kept.
        drafts: Knows what is wrong with a draft.
        reader: Reads what users write.
        log: The log, and what waits.
    """

    def __init__(self, store: WorkflowStore, drafts: DraftService, reader: DraftReader, log: PreviewStore) -> None:
        self._store = store
        self._drafts = drafts
        self._reader = reader
        self._log = log

    async def preview(self, caller: Caller, workflow_id: UUID) -> PublishPreview:
        """Say what publishing a workflow's draft would change; nothing is.

        Raises:
            NotFoundError: There is no such workflow, or it has no draft.
        """
        draft = await self._drafts.get(caller, workflow_id)
        current = in_full(found(await self._store.get(caller, workflow_id), MISSING))
        found_draft(await self._store.draft(caller, workflow_id))
        difference: Difference = told(of_workflow(current), comparable(draft.workflow))
        return PublishPreview(
            workflow_id=workflow_id,
            live_version=current.version,
            draft_version=draft.version,
            words=difference.words,
            waiting=await self._log.waiting(caller, workflow_id, MOST_WAITING),
            problems=draft.problems,
            judged=await self._judged(caller, current, draft.workflow),
        )

    async def _judged(self, caller: Caller, current: Workflow, body: dict[str, Any]) -> Judged | None:
        try:
            draft = await self._reader.read(body)
        except InvalidError:
            return None
        use, event_type = Use(current.created_by, current.id), draft.trigger.type
        live, next_one = _compiled(current, use), compiled(draft, use)
        counts: dict[str, dict[str, int]] = {"live": {}, "draft": {}}
        different: list[JudgedEvent] = []
        rows = await self._log.events(caller, current.id, event_type, EVENTS)
        for row in rows:
            await breathe()
            now, then = _became(row, draft, use, next_one), _of_live(row, current, draft, use, live)
            counts["draft"][now] = counts["draft"].get(now, 0) + 1
            counts["live"][then] = counts["live"].get(then, 0) + 1
            if now != then:
                different.append(_told(row, then, now))
        return Judged(event_type=event_type, events=len(rows), different=different, **counts)


def _compiled(workflow: Workflow, use: Use) -> CompiledWorkflow | None:
    """Return what is live as matchers hold it; None where they cannot."""
    try:
        return compiled(WorkflowDraft.model_validate(workflow.model_dump(include=set(WorkflowDraft.model_fields))), use)
    except (ValueError, InvalidError):
        return None


def _of_live(
    row: LoggedEvent, current: Workflow, draft: WorkflowDraft, use: Use, live: CompiledWorkflow | None
) -> Judgement:
    """Return what really became of an event where the log has it, else what would."""
    if row.workflow_id == current.id and row.status != "blocked":
        return "runs" if row.conditions_met else "conditions_not_met"
    return "cannot_be_judged" if live is None else _became(row, draft, use, live)


def _became(row: LoggedEvent, draft: WorkflowDraft, use: Use, workflow: CompiledWorkflow) -> Judgement:
    try:
        made, matched = judged(tried_event(draft, use, row.event), workflow)
    except InvalidError:
        return "cannot_be_judged"
    return _JUDGEMENTS[made.outcome] if matched else "turned_away"


def _told(row: LoggedEvent, live: Judgement, draft: Judgement) -> JudgedEvent:
    event_id, source = str(row.event.get("id")), str(row.event.get("source"))
    return JudgedEvent(execution_id=row.id, event_id=event_id, event_source=source, live=live, draft=draft)
