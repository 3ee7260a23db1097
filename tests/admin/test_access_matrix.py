"""Who may call what: one row an operation. A route without a row fails, and so does a row without a route.

``+`` the door is open, ``x`` it is closed (401 for who brings no token, 403 for the others). Permissions are tried one
by one, with nothing granted to everybody. Of others' things, where there are any: ``404`` under their ids, ``hidden``
in lists; ``-`` is the same for all who may call it.
"""

from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from app.admin.operations import Operation
from app.admin.routes import OPERATIONS
from app.domain.callers import PERMISSIONS
from tests.admin.conftest import Answer, Api, User, draft
from tests.admin.log import Log

COLUMNS: Final = (
    "anonymous", "nothing", "events:write", "crm:read", "crm:write", "templates:publish", "messages:any", "operate",
)  # fmt: skip
# operation                 no token, nothing, e:w, c:r, c:w, t:p, m:a, operate; of others; admin
MATRIX: Final = """
createWorkflow              x  +  +  +  +  +  +  +  -      +
listWorkflows               x  +  +  +  +  +  +  +  hidden +
getWorkflow                 x  +  +  +  +  +  +  +  404    +
replaceWorkflow             x  +  +  +  +  +  +  +  404    +
patchWorkflow               x  +  +  +  +  +  +  +  404    +
deleteWorkflow              x  +  +  +  +  +  +  +  404    +
activateWorkflow            x  +  +  +  +  +  +  +  404    +
deactivateWorkflow          x  +  +  +  +  +  +  +  404    +
cancelWaiting               x  +  +  +  +  +  +  +  404    +
listRevisions               x  +  +  +  +  +  +  +  404    +
testDraft                   x  +  +  +  +  +  +  +  -      +
testWorkflow                x  +  +  +  +  +  +  +  404    +
executeWorkflow             x  +  +  +  +  +  +  +  404    +
createTemplate              x  +  +  +  +  +  +  +  -      +
listTemplates               x  +  +  +  +  +  +  +  hidden +
getTemplate                 x  +  +  +  +  +  +  +  404    +
replaceTemplate             x  +  +  +  +  +  +  +  404    +
patchTemplate               x  +  +  +  +  +  +  +  404    +
deleteTemplate              x  +  +  +  +  +  +  +  404    +
applyTemplate               x  +  +  +  +  +  +  +  404    +
createTemplateFromWorkflow  x  +  +  +  +  +  +  +  404    +
createMessageTemplate       x  +  +  +  +  +  +  +  -      +
listMessageTemplates        x  +  +  +  +  +  +  +  hidden +
getMessageTemplate          x  +  +  +  +  +  +  +  404    +
replaceMessageTemplate      x  +  +  +  +  +  +  +  404    +
patchMessageTemplate        x  +  +  +  +  +  +  +  404    +
deleteMessageTemplate       x  +  +  +  +  +  +  +  404    +
createChannel               x  x  x  x  x  x  x  x  -      +
listChannels                x  x  x  x  x  x  x  x  -      +
getChannel                  x  x  x  x  x  x  x  x  -      +
replaceChannel              x  x  x  x  x  x  x  x  -      +
deleteChannel               x  x  x  x  x  x  x  x  -      +
listNotifications           x  +  +  +  +  +  +  +  hidden +
readNotification            x  +  +  +  +  +  +  +  404    +
ingestEvents                x  x  +  x  x  x  x  x  -      +
listExecutions              x  +  +  +  +  +  +  +  hidden +
listWaiting                 x  +  +  +  +  +  +  +  hidden +
getExecution                x  +  +  +  +  +  +  +  404    +
cancelExecution             x  +  +  +  +  +  +  +  404    +
retryExecution              x  +  +  +  +  +  +  +  404    +
listDeadLetters             x  x  x  x  x  x  x  +  -      +
getDeadLetter               x  x  x  x  x  x  x  +  -      +
replayDeadLetter            x  x  x  x  x  x  x  +  -      +
discardDeadLetter           x  x  x  x  x  x  x  +  -      +
showQueue                   x  +  +  +  +  +  +  +  -      +
createCustomer              x  x  x  x  +  x  x  x  -      +
listCustomers               x  x  x  +  x  x  x  x  -      +
getCustomer                 x  x  x  +  x  x  x  x  -      +
updateCustomer              x  x  x  x  +  x  x  x  -      +
deleteCustomer              x  x  x  x  +  x  x  x  -      +
applyTag                    x  x  x  x  +  x  x  x  -      +
removeTag                   x  x  x  x  +  x  x  x  -      +
createNote                  x  x  x  x  +  x  x  x  -      +
listNotes                   x  x  x  +  x  x  x  x  -      +
createTask                  x  x  x  x  +  x  x  x  -      +
listTasks                   x  x  x  +  x  x  x  x  -      +
getTask                     x  x  x  +  x  x  x  x  -      +
finishTask                  x  x  x  x  +  x  x  x  -      +
createAppointment           x  x  x  x  +  x  x  x  -      +
listAppointments            x  x  x  +  x  x  x  x  -      +
getAppointment              x  x  x  +  x  x  x  x  -      +
completeAppointment         x  x  x  x  +  x  x  x  -      +
missAppointment             x  x  x  x  +  x  x  x  -      +
createConversation          x  x  x  x  +  x  x  x  -      +
listConversations           x  x  x  +  x  x  x  x  -      +
getConversation             x  x  x  +  x  x  x  x  -      +
assignConversation          x  x  x  x  +  x  x  x  -      +
resolveConversation         x  x  x  x  +  x  x  x  -      +
receiveMessage              x  x  x  x  +  x  x  x  -      +
listMessages                x  x  x  +  x  x  x  x  -      +
createOrder                 x  x  x  x  +  x  x  x  -      +
listOrders                  x  x  x  +  x  x  x  x  -      +
getOrder                    x  x  x  +  x  x  x  x  -      +
payOrder                    x  x  x  x  +  x  x  x  -      +
cancelOrder                 x  x  x  x  +  x  x  x  -      +
deliverOrder                x  x  x  x  +  x  x  x  -      +
setPartner                  x  x  x  x  +  x  x  x  -      +
listPartners                x  x  x  +  x  x  x  x  -      +
calculateCommission         x  x  x  x  +  x  x  x  -      +
listCommissions             x  x  x  +  x  x  x  x  -      +
getCommission               x  x  x  +  x  x  x  x  -      +
payCommission               x  x  x  x  +  x  x  x  -      +
listApiKeys                 x  x  x  x  x  x  x  x  -      +
createApiKey                x  x  x  x  x  x  x  x  -      +
revokeApiKey                x  x  x  x  x  x  x  x  -      +
listSecrets                 x  x  x  x  x  x  x  x  -      +
putSecret                   x  x  x  x  x  x  x  x  -      +
deleteSecret                x  x  x  x  x  x  x  x  -      +
listEventTypes              x  +  +  +  +  +  +  +  -      +
listActionTypes             x  +  +  +  +  +  +  +  -      +
healthz                     +  +  +  +  +  +  +  +  -      +
readyz                      +  +  +  +  +  +  +  +  -      +
metrics                     +  +  +  +  +  +  +  +  -      +
openapi                     +  +  +  +  +  +  +  +  -      +
"""
_PATHS: Final = {"customer": "c-nobody", "tag": "t", "conversation": "v-0", "order": "o-0", "partner": "p-0"}
_BODIES: Final[dict[str, Any]] = {
    "replaceWorkflow": draft(),
    "replaceTemplate": draft(),
    "replaceMessageTemplate": {"name": "x", "kind": "sms", "text": "Hello"},
    "testWorkflow": {"event": {}},
    "executeWorkflow": {"data": {}},
}


@dataclass(frozen=True)
class Row:
    """What the matrix says of an operation: by column whether its door is open, and what is told of others' things."""

    doors: dict[str, bool]
    others: str


def rows() -> dict[str, Row]:
    """Read the matrix."""
    found = {}
    for line in MATRIX.strip().splitlines():
        name, *cells = line.split()
        *doors, others, admin = cells
        columns = dict(zip((*COLUMNS, "admin"), (*doors, admin), strict=True))
        found[name] = Row({column: cell == "+" for column, cell in columns.items()}, others)
    return found


ROWS: Final = rows()
BY_NAME: Final = {operation.name: operation for operation in OPERATIONS}


def test_every_operation_has_a_row() -> None:
    """Who adds a route decides who may call it, and says so in the matrix."""
    assert BY_NAME.keys() - ROWS.keys() == set()
    assert ROWS.keys() - BY_NAME.keys() == set()


@pytest.mark.parametrize("name", ROWS)
async def test_doors_are_open_to_whom_the_matrix_says(strict_api: Api, name: str) -> None:
    """A call of each kind of caller: 401 or 403 where the door is closed; whatever else where it is open."""
    operation, row = BY_NAME[name], ROWS[name]
    for column, is_open in row.doors.items():
        answer = await _call(_caller(strict_api, column), operation, uuid4())
        closed = 401 if column == "anonymous" else 403
        assert (answer.status not in {401, 403}) if is_open else answer.status == closed, (column, answer)


def _caller(api: Api, column: str) -> User:
    if column == "anonymous":
        return replace(api.user(), token="")
    if column == "admin":
        return api.user("admin")
    return api.user("user", *(one for one in PERMISSIONS if one == column))


def request_of(operation: Operation, thing: UUID | str) -> tuple[str, Any, dict[str, str]]:
    """Return the path, body and headers of a call that gets past the door and changes nothing."""
    path = operation.path.format(id=thing, number=999_999_999, name="NO_SUCH_SECRET", **_PATHS)
    body = _BODIES.get(operation.name, {}) if operation.body else None
    return path, body, {"If-Match": "*"} if operation.if_match != "no" else {}


async def _call(user: User, operation: Operation, thing: UUID | str) -> Answer:
    path, body, headers = request_of(operation, thing)
    return await user.call(operation.method, path, body, headers=headers)


# -- what is another user's


@pytest.fixture
async def things(strict_api: Api, log: Log) -> tuple[User, dict[str, str]]:
    """An owner, and the ids of one of everything that is theirs."""
    owner = strict_api.user()
    workflow = await owner.create()
    template = await owner.call("POST", "/api/v1/templates", draft())
    words = await owner.call("POST", "/api/v1/message-templates", _BODIES["replaceMessageTemplate"])
    notice = uuid4()
    await log.connection.execute(
        "INSERT INTO notifications (id, user_id, title, body, workflow_id, execution_id)"
        " VALUES (%s, %s, 'Theirs', 'x', %s, %s)",
        (notice, owner.id, workflow["id"], uuid4()),
    )
    return owner, {
        "workflows": workflow["id"],
        "templates": template.json["id"],
        "message-templates": words.json["id"],
        "notifications": str(notice),
        "executions": str((await log.add(workflow, status="failed"))["id"]),
    }


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.others == "404"])
async def test_another_users_things_are_not_there(
    strict_api: Api, things: tuple[User, dict[str, str]], name: str
) -> None:
    """Whatever permissions they have: under the id of another's thing there is nothing, as under no id at all."""
    owner, ids = things
    operation = BY_NAME[name]
    thing = ids[operation.path.split("/")[3]]
    everything = strict_api.user("user", *PERMISSIONS)
    for other in (strict_api.user(), everything):
        assert (await _call(other, operation, thing)).status == 404
    if name != "cancelExecution":  # nothing of theirs waits
        assert (await _call(owner, operation, thing)).status != 404


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.others == "hidden"])
async def test_another_users_things_are_in_no_list(
    strict_api: Api, things: tuple[User, dict[str, str]], name: str
) -> None:
    """The owner's list has the thing, where it lists such things at all; nobody else's."""
    owner, ids = things
    operation = BY_NAME[name]
    seen = {who.id: str((await _call(who, operation, "")).json) for who in (owner, strict_api.user())}
    thing = ids[operation.path.split("/")[3]]
    if name != "listWaiting":  # nothing of theirs waits
        assert thing in seen.pop(owner.id)
    assert all(thing not in listed for listed in seen.values())
