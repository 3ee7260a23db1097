"""``apply_tag`` and ``create_note``: what they ask of the CRM, and what they refuse."""

from typing import Any

import pytest

from app.actions.apply_tag import ApplyTag
from app.actions.create_note import CreateNote
from app.ports import NoteRequest, TagRequest
from tests.support.commands import COMMAND_ID, failure_of, prepared
from tests.support.fake_crm import FakeCrm


async def test_a_tag_is_rendered_and_applied_once() -> None:
    """The tag lands on the event's customer; the output says whether it was new."""
    request = prepared("apply_tag", {"tag": " Big {{ order.id }} "})
    assert request == TagRequest("c-1", "Big 42")
    crm = FakeCrm()
    outputs = await ApplyTag().perform_all([request, request], crm)
    assert outputs == [{"tag": "Big 42", "applied": True}, {"tag": "Big 42", "applied": False}]
    assert crm.tags == {("c-1", "Big 42")}


async def test_a_note_is_written_under_the_commands_id() -> None:
    """One command, one note, however often it is carried out; another customer may be named."""
    request = prepared("create_note", {"text": "Bought {{ order.items | length }}\n", "customer_id": "{{ order.id }}"})
    assert request == NoteRequest(COMMAND_ID, "42", request.text)
    assert request.text.strip() == "Bought 2"
    crm = FakeCrm()
    assert await CreateNote().perform_all([request, request], crm) == [{"note_id": str(COMMAND_ID)}] * 2
    assert list(crm.notes.values()) == [request]


@pytest.mark.parametrize(
    ("action_type", "config", "customer", "field"),
    [
        ("apply_tag", {"tag": "{{ customer.name }}"}, {"id": "c", "name": "x" * 101}, "tag"),
        ("apply_tag", {"tag": "{{ customer.name }}"}, {"id": "c", "name": "   "}, "tag"),
        ("apply_tag", {"tag": "{{ customer.name }}"}, {"id": "c", "name": "a\x00b"}, "tag"),
        ("apply_tag", {"tag": "{{ customer.name }}"}, {"id": "c", "name": "a\nb"}, "tag"),
        ("apply_tag", {"tag": "a"}, {"id": ""}, "customer_id"),
        ("apply_tag", {"tag": "a"}, {"id": "c" * 257}, "customer_id"),
        ("apply_tag", {"tag": "a"}, {}, "customer_id"),
        ("apply_tag", {"tag": "a", "customer_id": "\x00{{ customer.id }}"}, {"id": "c"}, "customer_id"),
        ("create_note", {"text": "{{ customer.name }}"}, {"id": "c", "name": "é" * 40_000}, "text"),
        ("create_note", {"text": "{{ customer.name }}"}, {"id": "c", "name": "a\x00"}, "text"),
        ("create_note", {"text": "{{ customer.name }}"}, {"id": "c", "name": " \n"}, "text"),
        ("create_note", {"text": "{{ customer.name }}"}, {"id": "c", "name": "\ud800"}, "text"),
        ("create_note", {"text": "a"}, {"id": " "}, "customer_id"),
    ],
)
def test_what_the_crm_cannot_hold_is_refused_by_field(
    action_type: str, config: dict[str, Any], customer: dict[str, Any], field: str
) -> None:
    """Empty, too long, NUL, line breaks, lone surrogates: permanent, named, and before anything happened."""
    assert failure_of(action_type, config, {"customer": customer}).startswith(f"{field}: ")


def test_limits_are_inclusive() -> None:
    """A tag of exactly 100 characters and a note of exactly 64 KiB are taken."""
    data = {"customer": {"id": "c", "tag": "é" * 100, "note": "x" * 65_536}}
    assert len(prepared("apply_tag", {"tag": "{{ customer.tag }}"}, data).tag) == 100
    assert len(prepared("create_note", {"text": "{{ customer.note }}"}, data).text) == 65_536
