"""Why it ran or did not, in a sentence."""

from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from app.services.operations.explanations import explain
from schemas.result import ActionResult


def verdict(*, met: bool, path: str = "order.total", **changes: Any) -> dict[str, Any]:
    """A condition's verdict."""
    seen = {"actual": 9 if met else 1, "reason": "compared as numbers"}
    return {"path": path, "operator": ">", "expected": 5, **seen, "met": met, **changes}


def result(step: int, status: Literal["success", "failed", "skipped"], error: str | None = None) -> ActionResult:
    """A step's result."""
    return ActionResult(
        step=step, action_type="webhook", status=status, error=error, executed_at=datetime(2026, 3, 1, tzinfo=UTC)
    )


NO_CONDITIONS = "Ran, because it has no conditions."


def said(status: str, **changes: Any) -> str:
    """The explanation of an execution without conditions and results, but for ``changes``."""
    told = {"conditions_met": True, "verdicts": [], "results": [], "error": None, **changes}
    return explain(status, **told)


def test_unmet_conditions_are_named() -> None:
    """A skipped execution names the conditions that did not hold, and not those that did."""
    verdicts = [verdict(met=False), verdict(met=True, path="a")]
    sentence = "Did not run: its conditions were not met (order.total is 1, not more than 5)."
    assert said("skipped", conditions_met=False, verdicts=verdicts) == sentence


def test_a_blocked_loop_is_named() -> None:
    """A blocked execution says why, though no condition was evaluated."""
    assert said("blocked", conditions_met=False, error="a loop of 3") == "Did not run: a loop of 3."


def test_conditions_that_were_not_evaluated_are_not_said_to_be_unmet() -> None:
    """Whose conditions take too much CPU, or have no share left: the sentence is the row's error."""
    error = "conditions: takes more than 250 ms of CPU"
    assert said("skipped", conditions_met=False, error=error) == f"Did not run: {error}."


def test_an_entity_that_may_not_enter_again_is_told_of() -> None:
    """Skipped although its conditions were met: the sentence says both."""
    assert said("skipped", error="this entity has entered") == (
        "Did not run, although it has no conditions: this entity has entered."
    )
    met = [verdict(met=True)]
    assert said("skipped", verdicts=met, error="this entity has entered") == (
        "Did not run, although its conditions were met (order.total is 9, more than 5): this entity has entered."
    )


def test_each_step_that_did_not_succeed_is_named() -> None:
    """Failed and skipped steps are named with their reasons, beside the conditions that were met."""
    results = [result(0, "success"), result(1, "failed", "410 Gone"), result(2, "skipped")]
    assert said("partial", verdicts=[verdict(met=True)], results=results) == (
        "Ran, because its conditions were met (order.total is 9, more than 5). 1 of 3 actions succeeded; step 1"
        " (webhook) failed: 410 Gone; step 2 (webhook) was skipped: its conditions were not met."
    )


@pytest.mark.parametrize(
    ("status", "error", "end"),
    [
        ("success", None, "1 of 1 actions succeeded."),
        ("stopped", None, "1 of 1 actions succeeded; stop_workflow ended it."),
        ("timed_out", "over 30 s", "1 of 1 actions succeeded; over 30 s."),
    ],
)
def test_each_end_is_said(status: str, error: str | None, end: str) -> None:
    """Success, a stop and a timeout read differently."""
    assert said(status, results=[result(0, "success")], error=error) == f"{NO_CONDITIONS} {end}"


def test_an_error_that_is_its_steps_is_said_once() -> None:
    """The log's error repeats the first step that failed; the sentence does not."""
    sentence = said("failed", results=[result(0, "failed", "410 Gone")], error="step 0 (webhook): 410 Gone")
    assert sentence.count("410 Gone") == 1


def test_long_lists_are_cut() -> None:
    """A sentence names at most five conditions, and says how many more there are."""
    sentence = said("skipped", conditions_met=False, verdicts=[verdict(met=False)] * 8)
    assert sentence.count("order.total") == 5
    assert "and 3 more" in sentence


def test_a_step_whose_own_conditions_did_not_hold_says_what_they_saw() -> None:
    """As the workflow's do."""
    skipped = result(0, "skipped", "its conditions are not met").model_copy(update={"verdicts": [verdict(met=False)]})
    end = "step 0 (webhook) was skipped: its conditions are not met (order.total is 1, not more than 5)."
    assert said("partial", results=[skipped]).endswith(end)


def test_an_explanation_is_short_whatever_there_is_to_say() -> None:
    """Long errors are cut, each by itself, and the whole."""
    failed = [result(step, "failed", f"{step}" + "x" * 10_000) for step in range(50)]
    sentence = said("failed", results=failed, error="y" * 10_000)
    assert len(sentence) <= 4001
    assert all(f"step {step} (webhook) failed" in sentence for step in range(5))
