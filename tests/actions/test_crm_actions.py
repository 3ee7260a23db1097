"""The actions on the CRM: what they ask of it, and what they refuse."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.actions.apply_tag import ApplyTag
from app.actions.assign_conversation import AssignConversation
from app.actions.create_appointment import CreateAppointment
from app.actions.create_note import CreateNote
from app.actions.create_task import CreateTask
from app.actions.remove_tag import RemoveTag
from app.actions.update_customer import UpdateCustomer
from app.ports import (
    AppointmentRequest,
    AssignmentRequest,
    CustomerUpdate,
    NoteRequest,
    TagRequest,
    TaskRequest,
)
from tests.support.commands import COMMAND_ID, context_of, failure_of, prepared, wrong_paths
from tests.support.fake_crm import FakeCrm


async def test_a_tag_is_rendered_and_applied_once() -> None:
    """The tag lands on the event's customer; the output says whether it was new."""
    request = prepared("apply_tag", {"tag": " Big {{ order.id }} "})
    assert request == TagRequest("c-1", "Big 42", context_of().origin)
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


async def test_a_tag_is_taken_off() -> None:
    """The tag goes from the event's customer; the output says whether it was there."""
    request = prepared("remove_tag", {"tag": "{{ order.id }}"})
    assert request == TagRequest("c-1", "42", context_of().origin)
    crm = FakeCrm()
    crm.tags = {("c-1", "42"), ("c-1", "VIP")}
    outputs = await RemoveTag().perform_all([request, request], crm)
    assert outputs == [{"tag": "42", "removed": True}, {"tag": "42", "removed": False}]
    assert crm.tags == {("c-1", "VIP")}


async def test_fields_of_a_customer_are_rendered_and_set() -> None:
    """Texts are templates at any depth, other values stay as they are, null removes."""
    config = {"set": {"name": "{{ customer.name }}", "last": {"order": "{{ order.id }}"}, "score": 1.5, "old": None}}
    request = prepared("update_customer", config)
    changes = {"name": "Ada <b>", "last": {"order": "42"}, "score": 1.5, "old": None}
    assert request == CustomerUpdate("c-1", changes, context_of().origin)
    crm = FakeCrm()
    crm.profiles["c-1"] = {"old": 1, "score": 1.5}
    assert await UpdateCustomer().perform_all([request], crm) == [{"changed": ["last", "name", "old"]}]


async def test_an_appointment_is_made_under_the_commands_id() -> None:
    """Times are ISO 8601 or a distance from now, and a distance counts for both ends."""
    config = {"title": "Call {{ customer.id }}", "starts_at": "2026-03-01T09:30:00+02:00", "assignee": "sam"}
    request = prepared("create_appointment", config)
    starts = datetime(2026, 3, 1, 7, 30, tzinfo=UTC)
    origin = context_of().origin
    assert request == AppointmentRequest(COMMAND_ID, "c-1", "Call c-1", starts, None, "sam", origin)
    relative = prepared("create_appointment", {"title": "a", "starts_at": "2h", "ends_at": "+3h"})
    assert relative.ends_at - relative.starts_at == timedelta(hours=1)
    crm = FakeCrm()
    outputs = await CreateAppointment().perform_all([request, request], crm)
    assert outputs == [{"appointment_id": str(COMMAND_ID), "starts_at": starts.isoformat()}] * 2
    assert list(crm.appointments.values()) == [request]


async def test_a_conversation_is_assigned() -> None:
    """The event's conversation goes to whom the config names; the output says whether that was new."""
    data = {"conversation": {"id": 7}, "customer": {"id": "c-1"}, "owner": "kim"}
    request = prepared("assign_conversation", {"assignee": "{{ owner }}"}, data)
    assert request == AssignmentRequest("7", "c-1", "kim")
    told = {"conversation_id": "7", "assignee": "kim"}
    outputs = await AssignConversation().perform_all([request, request], FakeCrm())
    assert outputs == [{**told, "assigned": True}, {**told, "assigned": False}]


async def test_a_task_is_made_under_the_commands_id() -> None:
    """What is left out is nobody's, never due; an event about nobody makes a task about nobody."""
    request = prepared("create_task", {"title": "Check {{ order.id }}"}, {"order": {"id": 42}})
    assert request == TaskRequest(COMMAND_ID, None, "Check 42", "", None, None)
    crm = FakeCrm()
    assert await CreateTask().perform_all([request, request], crm) == [{"task_id": str(COMMAND_ID), "due_at": None}] * 2
    assert list(crm.tasks.values()) == [request]


@pytest.mark.parametrize(
    ("action_type", "config", "field"),
    [
        ("remove_tag", {"tag": "{{ order.none | default('') }}"}, "tag"),
        ("update_customer", {"set": {"note": "{{ 'x' * 20000 }}"}}, "set"),
        ("update_customer", {"set": {"note": "a\x00"}}, "set.note"),
        ("update_customer", {"set": {"deep": {"note": "a\x00"}}}, "set"),
        ("create_appointment", {"title": "a", "starts_at": "soon"}, "starts_at"),
        ("create_appointment", {"title": "a", "starts_at": "2h", "ends_at": "1h"}, "ends_at"),
        ("create_appointment", {"title": "{{ '' }}", "starts_at": "2h"}, "title"),
        ("assign_conversation", {"assignee": "sam"}, "conversation_id"),
        ("create_task", {"title": "a\nb"}, "title"),
        ("create_task", {"title": "a", "due": "{{ customer.name }}"}, "due"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(action_type: str, config: dict[str, Any], field: str) -> None:
    """Permanent, named, and before anything happened."""
    assert failure_of(action_type, config).startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"set": {}}, "set"),
        ({"set": {"id": "x"}}, "set"),
        ({"set": {"tags": []}}, "set"),
        ({"set": {"a b": 1}}, "set"),
        ({"set": {"a": "{{"}}, "set.a"),
        ({}, "set"),
    ],
)
def test_a_wrong_update_is_refused_on_save(config: dict[str, Any], path: str) -> None:
    """What can never be set, and names that are none, are found when the workflow is saved."""
    assert wrong_paths("update_customer", config) == [f"config.{path}"]
