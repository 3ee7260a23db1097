"""One of each thing that the API knows, so that every operation has something to be called on."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from app.admin.operations import JSON, Operation
from app.admin.routes import OPERATIONS
from tests.admin.conftest import Answer, User

_BY_NAME: Final = {operation.name: operation for operation in OPERATIONS}
# By the collection that an {id} of a path belongs to: what makes one.
MAKERS: Final = {
    "/api/v1/workflows": "createWorkflow",
    "/api/v1/templates": "createTemplate",
    "/api/v1/message-templates": "createMessageTemplate",
    "/api/v1/channels": "createChannel",
    "/api/v1/api-keys": "createApiKey",
    "/api/v1/users": "createUser",
    "/api/v1/crm/tasks": "createTask",
    "/api/v1/crm/appointments": "createAppointment",
}
# What stands in the other places of paths, and what must be there for it.
NAMES: Final = {
    "customer": "c-1042",
    "tag": "VIP",
    "type": "order.paid",
    "conversation": "v-301",
    "order": "o-5001",
    "partner": "p-7",
    "name": "SHOP_TOKEN",
    "number": "1",
    "version": "1",
}
_OF_OTHERS: Final = {"customer": "createCustomer", "conversation": "createConversation", "order": "createOrder"}
# What must have been done to the same thing before.
_BEFORE: Final = {"executeWorkflow": "/activate"}
# Fields that no two things may have alike.
_UNIQUE: Final = {"createWorkflow", "createMessageTemplate", "createChannel"}


async def send_example(admin: User, operation: Operation, path: str, **changes: Any) -> Answer:
    """Send an operation its example; ``changes`` are of single fields."""
    headers = {"If-Match": "*"} if operation.if_match != "no" else {}
    if operation.body is None:
        return await admin.call(operation.method, path, headers=headers)
    body = {**operation.body.example, **await _proof(admin, operation), **changes}
    kind = JSON if JSON in operation.body.models else next(iter(operation.body.models))
    return await admin.call(operation.method, path, body, headers={**headers, "Content-Type": kind})


async def path_of(admin: User, operation: Operation) -> str:
    """Return the path of an operation with things in it that are there, made for this call."""
    values: dict[str, str] = dict(NAMES)
    for name, maker in _OF_OTHERS.items():
        if f"{{{name}}}" in operation.path:
            await send_example(admin, _BY_NAME[maker], _BY_NAME[maker].path)
    if "{id}" in operation.path:
        collection = operation.path.partition("/{id}")[0]
        assert collection in MAKERS, f"say in MAKERS what makes a thing of {collection}"
        made = await _make(admin, _BY_NAME[MAKERS[collection]])
        values["id"] = made["id"]
        if operation.name in _BEFORE:
            await admin.call("POST", f"{collection}/{made['id']}{_BEFORE[operation.name]}")
    return operation.path.format_map(values)


async def _proof(admin: User, operation: Operation) -> Mapping[str, Any]:
    """Make the user whom an example signs in; of a link's token there can be no example that holds."""
    if operation.name not in {"signIn", "signInByLink"}:
        return {}
    assert operation.body is not None
    email = operation.body.example.get("email", f"{uuid4()}@example.com")
    made = await send_example(admin, _BY_NAME["createUser"], "/api/v1/users", email=email)
    if operation.name == "signInByLink":
        return {"token": made.json["link_token"]}
    if made.status == 201:
        path = f"/api/v1/users/{made.json['id']}/password"
        await admin.call("POST", path, {"password": operation.body.example["password"]})
    return {}


async def _make(admin: User, operation: Operation) -> Mapping[str, Any]:
    changes = {"name": f"n{uuid4().hex[:12]}"} if operation.name in _UNIQUE else {}
    if operation.name == "createUser":
        changes = {"email": f"{uuid4()}@example.com"}
    answer = await send_example(admin, operation, operation.path, **changes)
    assert answer.status == 201, (operation.name, answer)
    made: Mapping[str, Any] = answer.json
    return made
