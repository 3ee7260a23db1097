"""For every operation a call that does what it is for: its example, on a thing that is there and in the right state."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import cycle
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import aiohttp

from app.admin.operations import JSON, MERGE_PATCH, Operation
from app.admin.routes import OPERATIONS
from tests.admin.conftest import Answer, User
from tests.admin.prepared import MAKERS, NAMES

NAMED: Final = {operation.name: operation for operation in OPERATIONS}
# Not two of these may be called alike.
_NAMED_ALONE: Final = {
    "createWorkflow", "createTemplate", "createMessageTemplate", "replaceMessageTemplate", "createChannel",
    "replaceChannel", "createApiKey",
}  # fmt: skip
_OWN_ID: Final = {"createCustomer": "c", "createConversation": "v", "createOrder": "o"}
_OPENID: Final = "/api/v1/session/oidc"
# What must be in a query string; streams end at once.
_QUERIES: Final[Mapping[str, Mapping[str, str]]] = {
    "lookUpEvent": {"source": "/shop", "id": "shop-5001-paid"},
    "search": {"q": "Thank"},
    "streamExecutions": {"seconds": "0"},
    "streamQueue": {"seconds": "0"},
}


@dataclass(frozen=True)
class Call:
    """What is sent; ``values`` stand in the path."""

    values: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


class Things:
    """What operations can be called on.

    Args:
        admin: Who calls, and owns what is made.
        rows: Ids of what no operation makes, by collection, or by operation where it must be in a state of its own.
    """

    def __init__(self, admin: User, rows: Mapping[str, Iterable[Any]]) -> None:
        self._admin = admin
        self._rows = {name: cycle(ids) for name, ids in rows.items()}
        self._read: dict[str, str] = {}

    async def ready(self, operation: Operation) -> Call:
        """Return a call that the operation carries out."""
        values = {name: await self.there(operation, name) for name in _places(operation.path)}
        call = Call(values, _QUERIES.get(operation.name, {}), _headers(operation), _body(operation))
        prepare = _PREPARATIONS.get(operation.name)
        return call if prepare is None else await prepare(self, call)

    async def send(self, operation: Operation, call: Call) -> Answer:
        """Send a call."""
        return await self._admin.call(
            operation.method, operation.path.format_map(call.values), call.body,
            headers=call.headers, params=call.query, allow_redirects=False,
        )  # fmt: skip

    async def do(self, name: str, /, **changes: Any) -> Any:
        """Carry an operation out; ``changes`` are of what is in its path. Returns what it answers.

        Raises:
            AssertionError: It is refused.
        """
        operation = NAMED[name]
        call = await self.ready(operation)
        answer = await self.send(operation, replace(call, values={**call.values, **changes}))
        assert answer.status in operation.answers, (name, answer)
        return answer.json

    async def there(self, operation: Operation, name: str) -> str:
        """Return what can stand in a place of an operation's path; made for this call, or for all that only read it."""
        if operation.method != "GET":
            return await self._one(operation, name)
        place = f"{operation.path} {name}"
        if place not in self._read:
            self._read[place] = await self._one(operation, name)
        return self._read[place]

    async def _one(self, operation: Operation, name: str) -> str:
        collection = operation.path.partition(f"/{{{name}}}")[0]
        for rows in (operation.name, collection):
            if rows in self._rows:
                return str(next(self._rows[rows]))
        if name == "id" and collection in MAKERS:
            return str((await self.do(MAKERS[collection]))["id"])
        if name in {"customer", "conversation", "order"}:
            return str((await self.do(f"create{name.capitalize()}"))["id"])
        return NAMES.get(name, "1")

    async def redirected(self) -> tuple[str, str]:
        """Begin to sign in at the issuer; returns where it sends the browser back to, and the browser's cookie."""
        begun = await self.send(NAMED["beginOpenId"], Call())
        async with aiohttp.ClientSession() as http:
            back = await http.get(begun.headers["Location"], allow_redirects=False)
        return back.headers["Location"], begun.headers["Set-Cookie"].partition(";")[0]


def _places(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _headers(operation: Operation) -> dict[str, str]:
    headers = {"If-Match": "*"} if operation.if_match != "no" else {}
    if operation.body is None:
        return headers
    # Of a merge patch the document only shows that name.
    kind = next((one for one in (MERGE_PATCH, JSON) if one in operation.body.models), next(iter(operation.body.models)))
    return {**headers, "Content-Type": kind}


def _body(operation: Operation) -> Any:
    if operation.body is None:
        return None
    own: dict[str, Any] = {}
    if operation.name in _NAMED_ALONE:
        own = {"name": f"n{uuid4().hex[:12]}"}
    elif operation.name in _OWN_ID:
        own = {"id": f"{_OWN_ID[operation.name]}-{uuid4()}"}
    elif operation.name == "createUser":
        own = {"email": f"{uuid4()}@example.com"}
    return {**operation.body.example, **own}


async def _customer(things: Things, call: Call) -> Call:
    """Of a customer who is there."""
    return replace(call, body={**call.body, "customer_id": (await things.do("createCustomer"))["id"]})


async def _active(things: Things, call: Call) -> Call:
    await things.do("activateWorkflow", **call.values)
    return call


async def _drafted(things: Things, call: Call) -> Call:
    """With a draft beside what is live."""
    await things.do("activateWorkflow", **call.values)
    await things.do("patchDraft", **call.values)
    return call


async def _deleted(things: Things, call: Call) -> Call:
    await things.do("deleteWorkflow", **call.values)
    return call


async def _paid(things: Things, call: Call) -> Call:
    await things.do("payOrder", **call.values)
    return call


async def _earned(things: Things, call: Call) -> Call:
    """Of an order that is paid, by a partner's doing."""
    await things.do("setPartner")
    return replace(call, body={"order_id": (await things.do("payOrder"))["id"]})


async def _commission(things: Things, call: Call) -> Call:
    return replace(call, values={"id": str((await things.do("calculateCommission"))["id"])})


async def _secret(things: Things, call: Call) -> Call:
    await things.do("putSecret", **call.values)
    return call


async def _tagged(things: Things, call: Call) -> Call:
    await things.do("applyTag", **call.values)
    return call


async def _with_password(things: Things, call: Call) -> Call:
    """As a user whose password is the example's."""
    made = await things.do("createUser")
    await things.do("setPassword", id=made["id"])
    body = NAMED["setPassword"].body
    assert body is not None
    return replace(call, body={"email": made["email"], "password": body.example["password"]})


async def _with_link(things: Things, call: Call) -> Call:
    return replace(call, body={"token": (await things.do("createUser"))["link_token"]})


async def _from_issuer(things: Things, call: Call) -> Call:
    location, cookie = await things.redirected()
    return replace(call, query=dict(parse_qsl(urlsplit(location).query)), headers={"Cookie": cookie})


_PREPARATIONS: Final[Mapping[str, Callable[[Things, Call], Awaitable[Call]]]] = {
    "executeWorkflow": _active,
    "getDraft": _drafted,
    "discardDraft": _drafted,
    "publishDraft": _drafted,
    "previewPublishing": _drafted,
    "compareStates": _drafted,
    "restoreWorkflow": _deleted,
    "deactivateWorkflow": _active,
    "createOrder": _customer,
    "createConversation": _customer,
    "createAppointment": _customer,
    "createTask": _customer,
    "deliverOrder": _paid,
    "calculateCommission": _earned,
    "getCommission": _commission,
    "payCommission": _commission,
    "deleteSecret": _secret,
    "removeTag": _tagged,
    "signIn": _with_password,
    "signInByLink": _with_link,
    "endOpenId": _from_issuer,
}
