"""Tasks, appointments and conversations of the reference CRM."""

from typing import Any, Final
from uuid import uuid4

from app.domain.errors import ConflictError, NotFoundError
from app.ports import AppointmentRequest, AssignmentRequest, TaskRequest
from app.ports.crm import SOURCE
from app.ports.systems import Kind, Repository, Row
from app.systems.models import NewAppointment, NewConversation, NewMessage, NewTask

TASK: Final = Kind(
    "task",
    "crm.tasks",
    "task_id",
    "task_id AS id, customer_id, title, description, assignee, due_at,"
    " CASE WHEN done_at IS NULL THEN 'open' ELSE 'done' END AS status, created_at, done_at",
    status="CASE WHEN done_at IS NULL THEN 'open' ELSE 'done' END",
)
APPOINTMENT: Final = Kind(
    "appointment",
    "crm.appointments",
    "appointment_id",
    "appointment_id AS id, customer_id, title, starts_at, ends_at, assignee, status, created_at",
    before={"completed": ("planned",), "missed": ("planned",)},
)
CONVERSATION: Final = Kind(
    "conversation",
    "crm.conversations",
    "conversation_id",
    "conversation_id AS id, customer_id, subject, channel, assignee, status, created_at, resolved_at",
    before={"resolved": ("open",), "open": ("resolved",)},
    stamps={"resolved": "resolved_at"},
)
MESSAGE: Final = Kind(
    "message",
    "crm.messages",
    "message_id",
    "message_id AS id, conversation_id, customer_id, text, channel, score, received_at",
    customer="conversation_id",
    status=None,
    when="received_at",
)


async def create_task(repository: Repository, draft: NewTask) -> Row:
    """Make a task; one of this id that is there already is left as it is."""
    named = draft.id or uuid4()
    asked = TaskRequest(named, draft.customer_id, draft.title, draft.description, draft.assignee, draft.due_at)
    await repository.crm.create_tasks([asked])
    return await repository.get(TASK, named)


async def finish_task(repository: Repository, task_id: Any) -> Row:
    """Be done with a task; no event announces it.

    Raises:
        NotFoundError: There is no such task.
    """
    if not await repository.finish_task(task_id):
        raise NotFoundError("There is no such task")
    return await repository.get(TASK, task_id)


async def create_appointment(repository: Repository, draft: NewAppointment) -> Row:
    """Make an appointment (``appointment.created``); one of this id that is there already is left as it is."""
    named = draft.id or uuid4()
    fields = draft.model_dump(include={"customer_id", "title", "starts_at", "ends_at", "assignee"})
    await repository.crm.create_appointments([AppointmentRequest(named, **fields, origin=repository.cause)])
    return await repository.get(APPOINTMENT, named)


async def move_appointment(repository: Repository, appointment_id: Any, to: str) -> Row:
    """Say that an appointment was ``completed`` or ``missed`` (``appointment.completed``, ``appointment.missed``).

    Raises:
        NotFoundError: There is no such appointment.
        ConflictError: The opposite has been said.
    """
    appointment, changed = await repository.move(APPOINTMENT, appointment_id, to)
    if changed:
        customer = await repository.customer(appointment["customer_id"])
        data = {"appointment": appointment, "customer": customer}
        await repository.announce(SOURCE, f"appointment.{to}", customer["id"], data)
    return appointment


async def create_conversation(repository: Repository, draft: NewConversation) -> Row:
    """Begin a conversation (``conversation.created``).

    Raises:
        ConflictError: There is one of this id.
    """
    await repository.meet(draft.customer_id)
    named = draft.id or str(uuid4())
    values = {"conversation_id": named, **draft.model_dump(include={"customer_id", "subject", "channel", "assignee"})}
    made = await repository.add(CONVERSATION, values)
    if made is None:
        raise ConflictError(f"There is a conversation {named} already")
    await _announce(repository, "conversation.created", made)
    return made


async def assign_conversation(
    repository: Repository, conversation_id: str, assignee: str, customer_id: str | None
) -> Row:
    """Give a conversation to an assignee; one that is not known yet is entered."""
    (assigned,) = await repository.crm.assign_conversations([AssignmentRequest(conversation_id, customer_id, assignee)])
    return {"assigned": assigned, "conversation": await repository.get(CONVERSATION, conversation_id)}


async def resolve_conversation(repository: Repository, conversation_id: str) -> Row:
    """Close a conversation (``conversation.resolved``).

    Raises:
        NotFoundError: There is no such conversation.
    """
    conversation, changed = await repository.move(CONVERSATION, conversation_id, "resolved")
    if changed:
        await _announce(repository, "conversation.resolved", conversation)
    return conversation


async def receive_message(repository: Repository, conversation_id: str, draft: NewMessage) -> Row:
    """Take in what a customer writes (``message.received``); a resolved conversation is open again.

    A message of this id that is there already is left as it is.

    Raises:
        NotFoundError: There is no such conversation.
    """
    named = draft.id or uuid4()
    known = await repository.find(MESSAGE, named)
    if known is not None:
        return known
    conversation, reopened = await repository.move(CONVERSATION, conversation_id, "open")
    values = {"message_id": named, "conversation_id": conversation_id, "customer_id": conversation["customer_id"]}
    message = await repository.add(MESSAGE, {**values, **draft.model_dump(include={"text", "channel", "score"})})
    if message is None:  # by another request, while this one waited for the conversation
        return await repository.get(MESSAGE, named)
    if reopened:
        await repository.forget_resolution(conversation_id)
        conversation["resolved_at"] = None
    await _announce(repository, "message.received", conversation, message=message)
    return message


async def _announce(repository: Repository, event_type: str, conversation: Row, **more: Any) -> None:
    data, entity = {**more, "conversation": conversation}, conversation["customer_id"]
    if entity is not None:
        data["customer"] = await repository.customer(entity)
    await repository.announce(SOURCE, event_type, entity or conversation["id"], data)
