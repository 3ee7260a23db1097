"""The comparison finds what it is there to find."""

from dataclasses import replace
from uuid import UUID

import pytest

from tests.reconcile.compare import Comparison, Line
from tests.reconcile.generator import generate
from tests.reconcile.observed import Observed, Row
from tests.reconcile.oracle import Expected

EXECUTION = UUID(int=1)
EVENT = {"source": "/sales", "id": "1", "data": {}}
EXPECTED = Expected(
    EXECUTION,
    "/sales",
    "1",
    met=True,
    verdicts=(True, False),
    status="success",
    statuses=("success", "success"),
    effects=(
        {"step": 0, "kind": "tag", "customer": "c", "tag": "t"},
        {"step": 1, "kind": "webhook", "body": {"order": "o"}},
    ),
)


def happened() -> Observed:
    """Return exactly what is expected."""
    actions = [{"status": "success", "uncertain": False}] * 2
    row = Row(EXECUTION, UUID(int=2), EVENT, True, [{"met": True}, {"met": False}], actions, "success")
    key = str(EXPECTED.command_id(1))
    return Observed(
        rows={EXECUTION: [row]}, tags={("c", "t")}, webhooks={key: [("/w", {"order": "o", "more": "is no difference"})]}
    )


def compare(seen: Observed, expected: Expected = EXPECTED) -> list[str]:
    """Return all differences."""
    comparison = Comparison(seen, {("/sales", "1"): EVENT})
    lines: list[Line] = [comparison.workflow("w", {EXECUTION: expected}), comparison.extras()]
    return [difference for line in lines for difference in line.differences]


def test_what_is_as_expected_differs_in_nothing() -> None:
    """A run as the oracle computes it has no difference."""
    assert compare(happened()) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"status": "partial"}, "status"),
        ({"conditions_met": False}, "conditions_met"),
        ({"conditions_result": [{"met": True}, {"met": True}]}, "verdicts"),
        ({"actions_executed": []}, "actions"),
        ({"actions_executed": [{"status": "success", "uncertain": True}] * 2}, "uncertain"),
        ({"trigger_event": {**EVENT, "data": {"x": 1}}}, "event"),
    ],
)
def test_a_row_that_differs_is_found(change: dict[str, object], finding: str) -> None:
    """Each column of the log that the oracle knows counts."""
    seen = happened()
    seen.rows[EXECUTION] = [replace(seen.rows[EXECUTION][0], **change)]  # type: ignore[arg-type]
    assert [found for found in compare(seen) if finding in found]


def test_missing_and_doubled_rows_and_effects_are_found() -> None:
    """No row, two rows, no tag, two webhooks, another body, another path: one difference each."""
    row = happened().rows[EXECUTION][0]
    key = str(EXPECTED.command_id(1))
    posted = ("/w", {"order": "o"})
    for field, value, finding in (
        ("rows", {}, "0 rows"),
        ("rows", {EXECUTION: [row, row]}, "2 rows"),
        ("tags", set(), "no tag"),
        ("webhooks", {}, "0 webhooks"),
        ("webhooks", {key: [posted, posted]}, "2 webhooks"),
        ("webhooks", {key: [("/w", {"order": "x"})]}, "body"),
        ("webhooks", {key: [("/v", {"order": "o"})]}, "path"),
    ):
        found = compare(replace(happened(), **{field: value}))  # type: ignore[arg-type]
        assert len(found) == 1, (field, value, found)
        assert finding in found[0]


def test_what_nobody_expected_is_found() -> None:
    """A row, a tag, a note, a webhook and an e-mail of no expected execution are extra."""
    seen = happened()
    seen.rows[UUID(int=9)] = seen.rows[EXECUTION]
    seen.tags.add(("c", "other"))
    seen.notes[UUID(int=9)] = ("c", "text")
    seen.webhooks["key"] = [("/w", {})]
    seen.mails["<id>"] = []
    assert len(compare(seen)) == 5


def test_an_owner_is_told_of_a_workflow_that_fails_and_of_no_other() -> None:
    """That "w" fails is expected, once, where an execution of it is to fail; of one that works it is a difference."""
    seen = happened()
    row = replace(seen.rows[EXECUTION][0], status="partial")
    failing = replace(seen, rows={EXECUTION: [row]}, records={("notification", "1"): ('Workflow "w" fails', "why")})
    partial = replace(EXPECTED, status="partial")
    assert compare(failing, partial) == []
    failing.records["notification", "2"] = ('Workflow "w" fails', "why")
    assert len(compare(failing, partial)) == 1
    assert len(compare(replace(seen, records={("notification", "1"): ('Workflow "w" fails', "why")}))) == 1


def test_the_generator_repeats_itself_and_some_events() -> None:
    """The same seed gives the same events, some of them twice, with what makes real events hard."""
    lines = list(generate(600, seed=7))
    assert lines == list(generate(600, seed=7))
    assert lines != list(generate(600, seed=8))
    assert 500 < len(set(lines)) < 600
    text = "".join(lines)
    assert all(needle in text for needle in ("é", "👍", ":null", "\\n", '"total":"'))
