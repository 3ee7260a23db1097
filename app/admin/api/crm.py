"""``/api/v1/crm``: the reference CRM."""

from collections.abc import Mapping
from typing import Any, Final

from app.admin.api.systems import changing, json_body, listing, of_customers, reading
from app.admin.models import CustomerQuery, ThingQuery
from app.admin.operations import Operation
from app.ports.systems import Repository
from app.systems import customers, work
from app.systems.models import (
    Assignment,
    NewAppointment,
    NewConversation,
    NewCustomer,
    NewMessage,
    NewNote,
    NewTask,
    Profile,
)
from app.systems.views import (
    Applied,
    Appointment,
    AppointmentPage,
    Assigned,
    Conversation,
    ConversationPage,
    Customer,
    CustomerPage,
    Message,
    MessagePage,
    Note,
    NotePage,
    Removed,
    Task,
    TaskPage,
    Updated,
)

_ROOT: Final = "/api/v1/crm"
_CUSTOMERS: Final = f"{_ROOT}/customers"
_CUSTOMER: Final = f"{_CUSTOMERS}/{{customer}}"
_TAG: Final = f"{_CUSTOMER}/tags/{{tag}}"
_TASKS: Final = f"{_ROOT}/tasks"
_APPOINTMENTS: Final = f"{_ROOT}/appointments"
_CONVERSATIONS: Final = f"{_ROOT}/conversations"
_CONVERSATION: Final = f"{_CONVERSATIONS}/{{conversation}}"

At = Mapping[str, Any]


async def _create_customer(repo: Repository, _: At, draft: NewCustomer) -> Any:
    return await customers.create_customer(repo, draft.id, draft.fields(), draft.tags)


async def _list_customers(repo: Repository, _: At, query: CustomerQuery) -> Any:
    return {"items": await repo.crm.customers_after(query.after, query.limit)}


async def _update_customer(repo: Repository, at: At, profile: Profile) -> Any:
    return await customers.update_customer(repo, at["customer"], profile.fields())


async def _create_note(repo: Repository, at: At, draft: NewNote) -> Any:
    return await customers.create_note(repo, at["customer"], draft.id, draft.text)


async def _assign(repo: Repository, at: At, draft: Assignment) -> Any:
    return await work.assign_conversation(repo, at["conversation"], draft.assignee, draft.customer_id)


_OF_CUSTOMERS: Final = (
    Operation(
        "POST", _CUSTOMERS, "createCustomer", "Enter a customer (customer.created)",
        changing(_create_customer, NewCustomer, status=201), {201: Customer}, tag="crm",
        body=json_body(NewCustomer, id="c-1042", name="Ada Lopes", email="ada@example.com", tags=["newsletter"]),
        conflicts=True, repeatable=True,
    ),
    Operation(
        "GET", _CUSTOMERS, "listCustomers", "List customers by id", reading(_list_customers, CustomerQuery),
        {200: CustomerPage}, tag="crm", query=CustomerQuery,
    ),
    Operation(
        "GET", _CUSTOMER, "getCustomer", "Show a customer",
        reading(lambda repo, at, _: customers.get_customer(repo, at["customer"])), {200: Customer}, tag="crm",
    ),
    Operation(
        "PATCH", _CUSTOMER, "updateCustomer", "Change fields of a customer; null removes one (customer.updated)",
        changing(_update_customer, Profile), {200: Updated}, tag="crm",
        body=json_body(Profile, plan="gold", phone=None), conflicts=True, repeatable=True,
    ),
    Operation(
        "DELETE", _CUSTOMER, "deleteCustomer", "Forget a customer, with tags and notes (customer.deleted)",
        changing(lambda repo, at, _: customers.delete_customer(repo, at["customer"]), status=204), {204: None},
        tag="crm",
        conflicts=True, repeatable=True,
    ),
    Operation(
        "PUT", _TAG, "applyTag", "Put a tag on a customer (tag.applied)",
        changing(lambda repo, at, _: customers.apply_tag(repo, at["customer"], at["tag"])), {200: Applied}, tag="crm",
        conflicts=True, repeatable=True,
    ),
    Operation(
        "DELETE", _TAG, "removeTag", "Take a tag off a customer (tag.removed)",
        changing(lambda repo, at, _: customers.remove_tag(repo, at["customer"], at["tag"])), {200: Removed}, tag="crm",
        conflicts=True, repeatable=True,
    ),
    Operation(
        "POST", f"{_CUSTOMER}/notes", "createNote", "Write a note on a customer",
        changing(_create_note, NewNote, status=201), {201: Note}, tag="crm",
        body=json_body(NewNote, text="Prefers to be called in the afternoon"),
        conflicts=True, repeatable=True,
    ),
    Operation(
        "GET", f"{_CUSTOMER}/notes", "listNotes", "List a customer's notes, newest first",
        listing(customers.NOTE, "customer"), {200: NotePage}, tag="crm", query=ThingQuery,
    ),
)  # fmt: skip
_OF_WORK: Final = (
    Operation(
        "POST", _TASKS, "createTask", "Give somebody something to do",
        changing(lambda repo, _, draft: work.create_task(repo, draft), NewTask, status=201), {201: Task}, tag="crm",
        body=json_body(NewTask, title="Call Ada back", customer_id="c-1042", assignee="sam"),
        conflicts=True, repeatable=True,
    ),
    Operation(
        "GET", _TASKS, "listTasks", "List tasks, newest first", listing(work.TASK), {200: TaskPage}, tag="crm",
        query=ThingQuery,
    ),
    Operation(
        "GET", f"{_TASKS}/{{id}}", "getTask", "Show a task",
        reading(lambda repo, at, _: repo.get(work.TASK, at["id"])), {200: Task}, tag="crm",
    ),
    Operation(
        "POST", f"{_TASKS}/{{id}}/done", "finishTask", "Be done with a task",
        changing(lambda repo, at, _: work.finish_task(repo, at["id"])), {200: Task}, tag="crm",
        conflicts=True, repeatable=True,
    ),
    Operation(
        "POST", _APPOINTMENTS, "createAppointment", "Make an appointment (appointment.created)",
        changing(lambda repo, _, draft: work.create_appointment(repo, draft), NewAppointment, status=201),
        {201: Appointment}, tag="crm",
        body=json_body(NewAppointment, customer_id="c-1042", title="Fitting", starts_at="2026-03-04T14:00:00Z"),
        conflicts=True, repeatable=True,
    ),
    Operation(
        "GET", _APPOINTMENTS, "listAppointments", "List appointments, newest first", listing(work.APPOINTMENT),
        {200: AppointmentPage}, tag="crm", query=ThingQuery,
    ),
    Operation(
        "GET", f"{_APPOINTMENTS}/{{id}}", "getAppointment", "Show an appointment",
        reading(lambda repo, at, _: repo.get(work.APPOINTMENT, at["id"])), {200: Appointment}, tag="crm",
    ),
    Operation(
        "POST", f"{_APPOINTMENTS}/{{id}}/complete", "completeAppointment", "It took place (appointment.completed)",
        changing(lambda repo, at, _: work.move_appointment(repo, at["id"], "completed")), {200: Appointment}, tag="crm",
        conflicts=True, repeatable=True,
    ),
    Operation(
        "POST", f"{_APPOINTMENTS}/{{id}}/miss", "missAppointment", "Nobody came (appointment.missed)",
        changing(lambda repo, at, _: work.move_appointment(repo, at["id"], "missed")), {200: Appointment}, tag="crm",
        conflicts=True, repeatable=True,
    ),
)  # fmt: skip
_OF_CONVERSATIONS: Final = (
    Operation(
        "POST", _CONVERSATIONS, "createConversation", "Begin a conversation (conversation.created)",
        changing(lambda repo, _, draft: work.create_conversation(repo, draft), NewConversation, status=201),
        {201: Conversation}, tag="crm",
        body=json_body(NewConversation, id="v-301", customer_id="c-1042", subject="Where is my parcel?"),
        conflicts=True, repeatable=True,
    ),
    Operation(
        "GET", _CONVERSATIONS, "listConversations", "List conversations, newest first", listing(work.CONVERSATION),
        {200: ConversationPage}, tag="crm", query=ThingQuery,
    ),
    Operation(
        "GET", _CONVERSATION, "getConversation", "Show a conversation",
        reading(lambda repo, at, _: repo.get(work.CONVERSATION, at["conversation"])), {200: Conversation}, tag="crm",
    ),
    Operation(
        "PUT", f"{_CONVERSATION}/assignee", "assignConversation", "Give a conversation to somebody",
        changing(_assign, Assignment), {200: Assigned}, tag="crm",
        body=json_body(Assignment, assignee="sam"), conflicts=True, repeatable=True,
    ),
    Operation(
        "POST", f"{_CONVERSATION}/resolve", "resolveConversation", "Close a conversation (conversation.resolved)",
        changing(lambda repo, at, _: work.resolve_conversation(repo, at["conversation"])), {200: Conversation},
        tag="crm",
        conflicts=True, repeatable=True,
    ),
    Operation(
        "POST", f"{_CONVERSATION}/messages", "receiveMessage", "Take in what a customer writes (message.received)",
        changing(lambda repo, at, draft: work.receive_message(repo, at["conversation"], draft), NewMessage, status=201),
        {201: Message}, tag="crm",
        body=json_body(NewMessage, text="Is it on its way?", channel="chat"),
        conflicts=True, repeatable=True,
    ),
    Operation(
        "GET", f"{_CONVERSATION}/messages", "listMessages", "List a conversation's messages, newest first",
        listing(work.MESSAGE, "conversation"), {200: MessagePage}, tag="crm", query=ThingQuery,
    ),
)  # fmt: skip
OPERATIONS: Final = of_customers(*_OF_CUSTOMERS, *_OF_WORK, *_OF_CONVERSATIONS)
