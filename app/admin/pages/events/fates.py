"""What became of an event, as a person reads it: a word, a colour and an icon for each workflow, and for them all."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from app.admin.pages.statuses import STATUSES, Shown, Tone
from app.admin.pages.wording import count_of
from app.domain.statuses import ExecutionStatus
from app.services.operations.event_report import EventReport, Verdict, WorkflowVerdict
from app.services.operations.observations import AS_SPOKEN, observations
from app.services.operations.verdict_words import parted

# In the order in which they are shown: what happened, what went wrong, what did not happen and why.
FATES: Final[Mapping[Verdict, Shown]] = {
    "ran": Shown("Ran", "good", "yes", "It ran; its execution says how it went"),
    "under_way": Shown("On its way", "calm", "wait", "It runs, or waits to go on"),
    "not_matched_yet": Shown("Not looked at yet", "calm", "wait", "The matchers have not come to this event yet"),
    "dead_lettered": Shown("Could not be carried out", "bad", "no", "Its execution ended as a dead letter"),
    "no_trace": Shown("Left no trace", "bad", "no", "It should have run, and the log says nothing of it"),
    "unreadable": Shown("Could not be read", "bad", "no", "The workflow as it was then is one that nothing can read"),
    "blocked": Shown("Blocked as a loop", "warn", "warn", "It would have triggered itself again"),
    "too_costly": Shown("Took too long", "warn", "warn", "Its conditions take more time than they may"),
    "conditions_not_met": Shown("Conditions not met", "plain", "skip", "At least one of its conditions did not hold"),
    "turned_away": Shown("Turned away", "plain", "skip", "Its trigger asks for more than the type of the event"),
    "not_allowed_again": Shown("May not enter again", "plain", "skip", "Whom the event is about had entered before"),
    "too_old": Shown("Too old", "plain", "skip", "The event is older than events may be"),
    "other_trigger_then": Shown("Waited for another event", "plain", "skip", "It had another trigger at that time"),
    "activated_later": Shown("Switched on later", "plain", "skip", "It was switched off at the event's time"),
    "inactive": Shown("Switched off", "plain", "skip", "It was switched off at the event's time"),
    "no_workflow_then": Shown("Made later", "plain", "skip", "It was not there yet at the event's time"),
}
_ORDER: Final = {verdict: place for place, verdict in enumerate(FATES)}
_LOST: Final = frozenset({"dead_lettered", "no_trace", "unreadable"})
_COMING: Final = frozenset({"under_way", "not_matched_yet"})
_WENT_WELL: Final = frozenset({ExecutionStatus.SUCCESS, ExecutionStatus.STOPPED})
# The page adds the moment since when, in the zone of who reads it.
_SAID_BY_MEANING: Final = frozenset({"ran", "inactive", "activated_later", "no_workflow_then"})
_MAY_ENTER: Final = ", and may enter it "
_GROUPS: Final = {"all": "All of these", "any": "At least one of these", "not": "None of this"}


class Condition(NamedTuple):
    """A condition's verdict in words; ``depth``: how many groups it stands in."""

    met: bool
    words: str
    depth: int


class Row(NamedTuple):
    """What one workflow made of an event, as it is shown.

    Attributes:
        why: The reason in a sentence; where more is shown beside it, no more than that adds to it.
        how_often: Of who may not enter again, how often they may.
    """

    verdict: WorkflowVerdict
    shown: Shown
    why: str
    how_often: str
    conditions: Sequence[Condition]


def rows_of(report: EventReport) -> list[Row]:
    """Return a row for each workflow: what ran first, then what went wrong, then what did not run."""
    ordered = sorted(report.workflows, key=lambda one: (_ORDER[one.verdict], one.workflow_name))
    return [_row(one) for one in ordered]


def _row(one: WorkflowVerdict) -> Row:
    shown, conditions = _shown(one), list(conditions_of(one.conditions))
    reason, beside = parted(one.why)
    _, entered, how_often = reason.rpartition(_MAY_ENTER)
    if entered and one.verdict == "not_allowed_again" and one.since is not None:
        return Row(one, shown, beside, how_often.rstrip("."), conditions)
    if conditions and one.verdict == "conditions_not_met":
        return Row(one, shown, f"What kept it from running: {beside}".rstrip(), "", conditions)
    why = f"{shown.meaning}. {beside}".rstrip() if one.verdict in _SAID_BY_MEANING else one.why
    return Row(one, shown, why, "", conditions)


def _shown(one: WorkflowVerdict) -> Shown:
    """Return how it is shown: of what ran, how it ended."""
    ended = STATUSES.get(one.status or "") if one.verdict == "ran" else None
    return ended or FATES[one.verdict]


def conditions_of(verdicts: Sequence[Mapping[str, Any]]) -> Iterator[Condition]:
    """Say each condition's verdict: what was seen, and what it had to be."""
    for one in verdicts:
        if "operator" not in one:
            continue
        met, depth = bool(one.get("met")), str(one.get("at") or "").count(".")
        group = _GROUPS.get(str(one["operator"]))
        words = [f"{group}:"] if group else observations([{**one, "at": ""}], met=met, said=AS_SPOKEN)
        yield Condition(met, " ".join(words), depth)


def outcome_of(report: EventReport) -> list[Shown]:
    """Say in a few words what became of an event."""
    if report.fate == "dead_lettered":
        return [Shown("Could not be read", "bad", "no", report.detail or report.reason or "It is no event")]
    if report.fate == "refused":
        return [Shown("Not accepted by now", "warn", "warn", report.detail or report.reason or "It is no event")]
    ran = [one for one in report.workflows if one.verdict == "ran"]
    bad = [one for one in ran if one.status not in _WENT_WELL]
    lost = [one for one in report.workflows if one.verdict in _LOST]
    coming = [one for one in report.workflows if one.verdict in _COMING]
    rest = len(report.workflows) - len(ran) - len(lost) - len(coming)
    counted: tuple[tuple[int, str, Tone, str], ...] = (
        (len(ran) - len(bad), "ran", "good", "yes"),
        (len(bad), "had trouble", "bad", "no"),
        (len(lost), "went missing", "bad", "no"),
        (len(coming), "on the way", "calm", "wait"),
        (rest, "did not run", "plain", "skip"),
    )
    said = [
        Shown(f"{count} {words}", tone, icon, f"{count_of(count, 'workflow')} {words}")
        for count, words, tone, icon in counted
        if count
    ]
    if said:
        return said
    if report.fate == "not_matched_yet":
        return [FATES["not_matched_yet"]]
    return [Shown("No workflow for it", "plain", "skip", "No workflow that you may see waits for events of this type")]
