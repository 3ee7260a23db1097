"""Deterministic ids."""

import json
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from app.domain.ids import command_id, execution_id

WORKFLOW = UUID(int=1)


@given(st.text(), st.text(), st.text(), st.text())
def test_two_events_share_an_execution_only_if_source_and_id_are_equal(s1: str, i1: str, s2: str, i2: str) -> None:
    """No pair of different (source, id) collides, whatever separators the texts hold."""
    same = execution_id(WORKFLOW, s1, i1) == execution_id(WORKFLOW, s2, i2)
    assert same == ((s1, i1) == (s2, i2))


def test_an_id_does_not_change_between_releases() -> None:
    """Receipts outlive a deployment, so the names are pinned."""
    assert str(execution_id(WORKFLOW, "/loja", "é-👍")) == "e3ca7bf7-e0e3-5461-b93f-ccc88be1bd3a"
    execution = execution_id(WORKFLOW, "/shop", "e-1")
    assert str(execution) == "09efbe42-dec5-5827-b230-0bd578a003a0"
    assert str(command_id(execution, 1, 0)) == "b91e6a0e-5965-5a30-a3c2-45ecad9d1172"


def test_every_attempt_and_step_has_a_command_id_of_its_own() -> None:
    """Attempt and step are told apart: (1, 11) is not (11, 1)."""
    execution = UUID(int=2)
    assert len({command_id(execution, attempt, step) for attempt in (1, 11) for step in (1, 11)}) == 4


@given(st.text(), st.text())
def test_the_name_of_an_execution_is_a_json_array(source: str, event_id: str) -> None:
    """As version 5 of RFC 9562 makes it of the compact array: ids that are stored already stay what they are."""
    name = json.dumps([source, event_id], ensure_ascii=False, separators=(",", ":"))
    assert execution_id(WORKFLOW, source, event_id) == uuid5(WORKFLOW, name)
