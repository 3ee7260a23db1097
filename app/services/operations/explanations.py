"""Why an execution ran or did not, in a sentence, from what the log holds. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from app.domain.statuses import ExecutionStatus
from app.services.operations.observations import AS_JSON, Vocabulary, observations
from schemas.result import ActionResult

MAX_NAMED: Final = 5
MAX_CHARS: Final = 4000
_MAX_ERROR_CHARS: Final = 300


def explain(
    status: str,
    *,
    conditions_met: bool,
    verdicts: Sequence[Mapping[str, Any]] | None,
    results: Sequence[ActionResult],
    error: str | None,
    said: Vocabulary = AS_JSON,
) -> str:
    """Say what became of an execution, and why; a plain text of at most 4,000 characters.

    Args:
        status: An execution status.
        conditions_met: Whether its conditions held; False also where they were not evaluated.
        verdicts: One per condition; None where they are too many to be told, or not known.
        results: One per action.
        error: The execution's own error.
        said: How fields and values are said.
    """
    why = _explained(status, verdicts, results, error and _short(error), said, met=conditions_met)
    return why if len(why) <= MAX_CHARS else why[:MAX_CHARS] + "…"


def _explained(
    status: str,
    verdicts: Sequence[Mapping[str, Any]] | None,
    results: Sequence[ActionResult],
    error: str | None,
    said: Vocabulary,
    *,
    met: bool,
) -> str:
    if status == ExecutionStatus.BLOCKED:
        return f"Did not run: {error or 'the workflow would trigger itself again'}."
    if status == ExecutionStatus.SKIPPED and met:
        return f"Did not run, although {_because(verdicts, said)}: {error or 'its entity may not enter again'}."
    if not met and error:
        return f"Did not run: {error}."
    if not met:
        return f"Did not run: its conditions were not met{_listed(verdicts or (), said, met=False)}."
    return f"Ran, because {_because(verdicts, said)}. {_outcome(status, results, error, said)}"


def _because(verdicts: Sequence[Mapping[str, Any]] | None, said: Vocabulary) -> str:
    if verdicts is not None and not verdicts:
        return "it has no conditions"
    return f"its conditions were met{_listed(verdicts or (), said, met=True)}"


def _outcome(status: str, results: Sequence[ActionResult], error: str | None, said: Vocabulary) -> str:
    ran = [result for result in results if result.status != "skipped"]
    failed = [result for result in ran if result.status == "failed"]
    parts = [f"{len(ran) - len(failed)} of {len(results)} actions succeeded"]
    parts += [
        f"step {result.step} ({result.action_type}) failed: {_short(str(result.error))}"
        for result in failed[:MAX_NAMED]
    ]
    parts += [
        f"step {result.step} ({result.action_type}) was skipped: {_skipped(result, said)}"
        for result in results
        if result.status == "skipped"
    ][:MAX_NAMED]
    if status == ExecutionStatus.STOPPED:
        parts.append("stop_workflow ended it")
    if error and not any(result.error and error.endswith(result.error) for result in failed):
        parts.append(error)
    return _sentence("; ".join(parts))


def _listed(verdicts: Iterable[Mapping[str, Any]], said: Vocabulary, *, met: bool) -> str:
    named = observations(verdicts, met=met, said=said)
    if not named:
        return ""
    more = f"; and {len(named) - MAX_NAMED} more" if len(named) > MAX_NAMED else ""
    return f" ({'; '.join(named[:MAX_NAMED])}{more})"


def _skipped(result: ActionResult, said: Vocabulary) -> str:
    """Say why a step was skipped, with what its own conditions saw."""
    seen = _listed(result.verdicts, said, met=False) if not all(map(_held, result.verdicts)) else ""
    return f"{_short(result.error or 'its conditions were not met')}{seen}"


def _held(verdict: Mapping[str, Any]) -> bool:
    return bool(verdict.get("met"))


def _short(text: str) -> str:
    return text if len(text) <= _MAX_ERROR_CHARS else text[:_MAX_ERROR_CHARS] + "…"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
