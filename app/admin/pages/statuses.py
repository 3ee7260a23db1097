"""How what became of things is shown: a word, a colour and an icon, so that nobody has to tell colours apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from markupsafe import Markup

from app.admin.execution_models import ExecutionQuery
from app.admin.pages.wording import moment
from app.domain.statuses import RETRYABLE, ActionStatus, ExecutionStatus
from app.ports.executions import UNKNOWN_STATUS

Tone = Literal["good", "bad", "warn", "calm", "plain"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A status as it is shown; ``meaning`` says it to who sees it for the first time."""

    word: str
    tone: Tone
    icon: str
    meaning: str


STATUSES: Final[Mapping[str, Shown]] = {
    ExecutionStatus.SUCCESS: Shown("Succeeded", "good", "yes", "Every step that ran succeeded"),
    ExecutionStatus.PARTIAL: Shown("Partly failed", "warn", "warn", "Some steps failed, others succeeded"),
    ExecutionStatus.FAILED: Shown(
        "Failed", "bad", "no", "No step succeeded, or one failed after which the workflow ends"
    ),
    ExecutionStatus.SKIPPED: Shown("Did not run", "plain", "skip", "Conditions not met, or it may not run now"),
    ExecutionStatus.STOPPED: Shown("Stopped", "calm", "skip", "A step ended it early, as the workflow says"),
    ExecutionStatus.BLOCKED: Shown("Blocked", "warn", "warn", "It would have triggered itself again"),
    ExecutionStatus.TIMED_OUT: Shown("Timed out", "bad", "wait", "Its time was used up"),
    UNKNOWN_STATUS: Shown("Unreadable", "warn", "warn", "The log has another word for how it ended than there are"),
}

STEPS: Final[Mapping[str, Shown]] = {
    ActionStatus.SUCCESS: Shown("Done", "good", "yes", "It was carried out"),
    ActionStatus.FAILED: Shown("Failed", "bad", "no", "It was not carried out, or not that we know of"),
    ActionStatus.SKIPPED: Shown("Skipped", "plain", "skip", "It was not its turn, or its conditions were not met"),
}


def looks() -> dict[str, Mapping[str, Any]]:
    """Return the same as data, for scripts that show executions."""
    return {
        status: {"word": one.word, "tone": one.tone, "icon": one.icon, "retryable": status in RETRYABLE}
        for status, one in STATUSES.items()
    }


def filters_in_words(query: ExecutionQuery, workflow: str | None) -> list[str]:
    """Say what a list of executions is filtered by, a phrase each."""
    last = {"15m": "in the last 15 minutes", "24h": "in the last 24 hours", "7d": "in the last 7 days"}
    span = getattr(query, "last", None)
    said = [
        f"of {workflow}" if workflow else "",
        f"that {' or '.join(STATUSES[one].word.lower() for one in query.statuses)}" if query.statuses else "",
        last[span] if span else "",
        Markup("from {}").format(moment(query.since)) if query.since and not span else "",
        Markup("before {}").format(moment(query.until)) if query.until and not span else "",
        f"about {query.entity}" if query.entity else "",
        f"by {query.event_type}" if query.event_type else "",
        f"by the event {query.event_id}" if query.event_id else "",
        f"with “{query.search}” in name or error" if query.search else "",
    ]
    return [one for one in said if one]
