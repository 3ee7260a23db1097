"""Previews of message templates: what would be sent of a sample event, by the action that sends it."""

from dataclasses import dataclass
from typing import Any, Final

from app.actions.message_text import with_text
from app.domain.callers import Caller
from app.ports import MessageText
from app.services.ingest.event_samples import SAMPLE_TYPES, sample_event
from app.services.messages.templates import action_of, read
from app.services.operations.dry_run import DryRunner
from schemas.message_template import MessageTemplateDraft
from schemas.workflow import WorkflowDraft

DEFAULT_SAMPLE: Final = "order.paid"
# To nobody: some samples have no address, and nothing is sent.
_PHONE: Final = "+5511987654321"
_TO: Final = {"email": ["ana@example.com"]}


@dataclass(frozen=True, slots=True)
class MessagePreview:
    """What would be sent; empty: there is no such part.

    Attributes:
        problem: Why nothing would be.
    """

    subject: str = ""
    text: str = ""
    html: str = ""
    problem: str = ""


class MessagePreviews:
    """The use case.

    Args:
        dry_runs: Prepares the action as a trial of a workflow does.
    """

    def __init__(self, dry_runs: DryRunner) -> None:
        self._dry_runs = dry_runs

    async def of(self, caller: Caller, raw: Any, sample: str) -> MessagePreview:
        """Show what a draft comes to for a sample event.

        Raises:
            InvalidError: The draft is wrong; each wrong field is in it.
        """
        draft = read(raw)
        event = sample_event(sample if sample in SAMPLE_TYPES else DEFAULT_SAMPLE)
        workflow = WorkflowDraft.model_validate(
            {
                "name": "Preview",
                "trigger": {"type": event["type"], "config": {}},
                "actions": [_action(draft, caller)],
            }
        )
        made = await self._dry_runs.run(workflow, event, {}, {}, caller=caller)
        (step,) = made.steps
        return _shown(step.would_send) if step.would_send else MessagePreview(problem=step.error or "it sends nothing")


def _action(draft: MessageTemplateDraft, caller: Caller) -> dict[str, Any]:
    action = action_of(draft.kind)
    assert action.message_text is not None
    to = {"user": str(caller.user_id)} if draft.kind == "notification" else {"to": _TO.get(draft.kind, _PHONE)}
    words = with_text(action.message_text, to, MessageText(draft.subject, draft.text, draft.html))
    return {"type": action.name, "order": 1, "config": words}


def _shown(sent: dict[str, Any]) -> MessagePreview:
    content = sent.get("content") or {}
    return MessagePreview(
        subject=sent.get("subject") or sent.get("title") or "",
        text=sent.get("text") or sent.get("body") or content.get("text", {}).get("body", ""),
        html=sent.get("html") or "",
    )
