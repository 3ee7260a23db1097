"""Who may call what: one row an operation. A route without a row fails, and so does a row without a route.

``+`` the door is open, ``x`` it is closed (401 for who brings no token, 403 for the others). Permissions are tried one
by one, with nothing granted to everybody. Of others' things, where there are any: ``404`` under their ids, ``hidden``
in lists and in what is exported or found; ``among`` ids that a request names it answers as if there were none;
``own`` is a stream, of which test_streams shows that it tells each of theirs alone; ``-`` is the same for all who may
call it.

Whoever comes with a token that does not hold (expired, of another secret, of no algorithm, for another audience) is as
who brings none. A session's cookie is as its user's token, but what changes something needs the session's own token
against forgery beside it.

``key`` is an API key without any permission, which owns nothing, so that it may only look. One with a permission may
that, and what the permission opens to users; one that was revoked or has expired is as nobody.
"""

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, get_args
from uuid import UUID, uuid4

import jwt
import psycopg
import pytest
from yarl import URL

from app.admin.cookies import SESSION
from app.admin.forgery import HEADER
from app.admin.operations import EVENT_STREAM, Operation
from app.admin.routes import OPERATIONS
from app.domain.api_keys import KEY_PERMISSIONS, digest_of, new_api_key
from app.domain.callers import PERMISSIONS, Role
from app.domain.sessions import csrf_token
from app.services.access.key_lookup import ASK_AGAIN_S
from app.services.operations.bulk import Doing
from tests.admin.conftest import Answer, Api, User, draft
from tests.admin.log import Log
from tests.support.sessions import SignedIn, signed_in

COLUMNS: Final = (
    "anonymous", "nothing", "events:write", "crm:read", "crm:write", "templates:publish", "messages:any", "operate",
)  # fmt: skip
# operation                 no token, nothing, e:w, c:r, c:w, t:p, m:a, operate, key; of others; admin
MATRIX: Final = """
createWorkflow              x  +  +  +  +  +  +  +  x  -      +
listWorkflows               x  +  +  +  +  +  +  +  +  hidden +
getWorkflow                 x  +  +  +  +  +  +  +  +  404    +
replaceWorkflow             x  +  +  +  +  +  +  +  x  404    +
patchWorkflow               x  +  +  +  +  +  +  +  x  404    +
deleteWorkflow              x  +  +  +  +  +  +  +  x  404    +
activateWorkflow            x  +  +  +  +  +  +  +  x  404    +
deactivateWorkflow          x  +  +  +  +  +  +  +  x  404    +
cancelWaiting               x  +  +  +  +  +  +  +  x  404    +
restoreWorkflow             x  +  +  +  +  +  +  +  x  404    +
duplicateWorkflow           x  +  +  +  +  +  +  +  x  404    +
getDraft                    x  +  +  +  +  +  +  +  +  404    +
saveDraft                   x  +  +  +  +  +  +  +  x  404    +
patchDraft                  x  +  +  +  +  +  +  +  x  404    +
discardDraft                x  +  +  +  +  +  +  +  x  404    +
compareStates               x  +  +  +  +  +  +  +  +  404    +
previewPublishing           x  +  +  +  +  +  +  +  +  404    +
changeManyWorkflows         x  +  +  +  +  +  +  +  x  among  +
exportWorkflows             x  +  +  +  +  +  +  +  +  hidden +
publishDraft                x  +  +  +  +  +  +  +  x  404    +
listRevisions               x  +  +  +  +  +  +  +  +  404    +
getRevision                 x  +  +  +  +  +  +  +  +  404    +
restoreRevision             x  +  +  +  +  +  +  +  x  404    +
testDraft                   x  +  +  +  +  +  +  +  x  -      +
testWorkflow                x  +  +  +  +  +  +  +  x  404    +
executeWorkflow             x  +  +  +  +  +  +  +  x  404    +
createTemplate              x  +  +  +  +  +  +  +  x  -      +
listTemplates               x  +  +  +  +  +  +  +  +  hidden +
listTemplateCategories      x  +  +  +  +  +  +  +  +  -      +
getTemplateForm             x  +  +  +  +  +  +  +  +  404    +
getTemplate                 x  +  +  +  +  +  +  +  +  404    +
replaceTemplate             x  +  +  +  +  +  +  +  x  404    +
patchTemplate               x  +  +  +  +  +  +  +  x  404    +
deleteTemplate              x  +  +  +  +  +  +  +  x  404    +
applyTemplate               x  +  +  +  +  +  +  +  x  404    +
createTemplateFromWorkflow  x  +  +  +  +  +  +  +  x  404    +
createMessageTemplate       x  +  +  +  +  +  +  +  x  -      +
listMessageTemplates        x  +  +  +  +  +  +  +  +  hidden +
getMessageTemplate          x  +  +  +  +  +  +  +  +  404    +
replaceMessageTemplate      x  +  +  +  +  +  +  +  x  404    +
patchMessageTemplate        x  +  +  +  +  +  +  +  x  404    +
deleteMessageTemplate       x  +  +  +  +  +  +  +  x  404    +
createChannel               x  x  x  x  x  x  x  x  x  -      +
listChannels                x  x  x  x  x  x  x  x  x  -      +
getChannel                  x  x  x  x  x  x  x  x  x  -      +
replaceChannel              x  x  x  x  x  x  x  x  x  -      +
deleteChannel               x  x  x  x  x  x  x  x  x  -      +
listNotifications           x  +  +  +  +  +  +  +  +  hidden +
readNotification            x  +  +  +  +  +  +  +  x  404    +
ingestEvents                x  x  +  x  x  x  x  x  x  -      +
listRecentEvents            x  x  x  +  x  x  x  x  x  -      +
lookUpEvent                 x  x  x  +  x  x  x  x  x  -      +
listExecutions              x  +  +  +  +  +  +  +  +  hidden +
exportExecutions            x  +  +  +  +  +  +  +  +  hidden +
search                      x  +  +  +  +  +  +  +  +  hidden +
streamExecutions            x  +  +  +  +  +  +  +  +  own    +
listWaiting                 x  +  +  +  +  +  +  +  +  hidden +
getExecution                x  +  +  +  +  +  +  +  +  404    +
cancelExecution             x  +  +  +  +  +  +  +  x  404    +
retryExecution              x  +  +  +  +  +  +  +  x  404    +
listDeadLetters             x  x  x  x  x  x  x  +  x  -      +
getDeadLetter               x  x  x  x  x  x  x  +  x  -      +
replayDeadLetter            x  x  x  x  x  x  x  +  x  -      +
discardDeadLetter           x  x  x  x  x  x  x  +  x  -      +
showQueue                   x  +  +  +  +  +  +  +  +  -      +
streamQueue                 x  +  +  +  +  +  +  +  +  -      +
createCustomer              x  x  x  x  +  x  x  x  x  -      +
listCustomers               x  x  x  +  x  x  x  x  x  -      +
getCustomer                 x  x  x  +  x  x  x  x  x  -      +
updateCustomer              x  x  x  x  +  x  x  x  x  -      +
deleteCustomer              x  x  x  x  +  x  x  x  x  -      +
applyTag                    x  x  x  x  +  x  x  x  x  -      +
removeTag                   x  x  x  x  +  x  x  x  x  -      +
createNote                  x  x  x  x  +  x  x  x  x  -      +
listNotes                   x  x  x  +  x  x  x  x  x  -      +
createTask                  x  x  x  x  +  x  x  x  x  -      +
listTasks                   x  x  x  +  x  x  x  x  x  -      +
getTask                     x  x  x  +  x  x  x  x  x  -      +
finishTask                  x  x  x  x  +  x  x  x  x  -      +
createAppointment           x  x  x  x  +  x  x  x  x  -      +
listAppointments            x  x  x  +  x  x  x  x  x  -      +
getAppointment              x  x  x  +  x  x  x  x  x  -      +
completeAppointment         x  x  x  x  +  x  x  x  x  -      +
missAppointment             x  x  x  x  +  x  x  x  x  -      +
createConversation          x  x  x  x  +  x  x  x  x  -      +
listConversations           x  x  x  +  x  x  x  x  x  -      +
getConversation             x  x  x  +  x  x  x  x  x  -      +
assignConversation          x  x  x  x  +  x  x  x  x  -      +
resolveConversation         x  x  x  x  +  x  x  x  x  -      +
receiveMessage              x  x  x  x  +  x  x  x  x  -      +
listMessages                x  x  x  +  x  x  x  x  x  -      +
createOrder                 x  x  x  x  +  x  x  x  x  -      +
listOrders                  x  x  x  +  x  x  x  x  x  -      +
getOrder                    x  x  x  +  x  x  x  x  x  -      +
payOrder                    x  x  x  x  +  x  x  x  x  -      +
cancelOrder                 x  x  x  x  +  x  x  x  x  -      +
deliverOrder                x  x  x  x  +  x  x  x  x  -      +
setPartner                  x  x  x  x  +  x  x  x  x  -      +
listPartners                x  x  x  +  x  x  x  x  x  -      +
calculateCommission         x  x  x  x  +  x  x  x  x  -      +
listCommissions             x  x  x  +  x  x  x  x  x  -      +
getCommission               x  x  x  +  x  x  x  x  x  -      +
payCommission               x  x  x  x  +  x  x  x  x  -      +
listApiKeys                 x  x  x  x  x  x  x  x  x  -      +
createApiKey                x  x  x  x  x  x  x  x  x  -      +
rotateApiKey                x  x  x  x  x  x  x  x  x  -      +
revokeApiKey                x  x  x  x  x  x  x  x  x  -      +
listAudit                   x  x  x  x  x  x  x  x  x  -      +
signIn                      +  +  +  +  +  +  +  +  +  -      +
signInByLink                +  +  +  +  +  +  +  +  +  -      +
beginOpenId                 +  +  +  +  +  +  +  +  +  -      +
endOpenId                   +  +  +  +  +  +  +  +  +  -      +
listUsers                   x  x  x  x  x  x  x  x  x  -      +
createUser                  x  x  x  x  x  x  x  x  x  -      +
getUser                     x  +  +  +  +  +  +  +  +  404    +
patchUser                   x  x  x  x  x  x  x  x  x  -      +
deleteUser                  x  x  x  x  x  x  x  x  x  -      +
setPassword                 x  +  +  +  +  +  +  +  x  404    +
showSession                 x  +  +  +  +  +  +  +  +  -      +
signOut                     x  +  +  +  +  +  +  +  x  -      +
listSessions                x  +  +  +  +  +  +  +  +  hidden +
endSession                  x  +  +  +  +  +  +  +  x  404    +
listSecrets                 x  x  x  x  x  x  x  x  x  -      +
putSecret                   x  x  x  x  x  x  x  x  x  -      +
deleteSecret                x  x  x  x  x  x  x  x  x  -      +
listEventTypes              x  +  +  +  +  +  +  +  +  -      +
getEventType                x  +  +  +  +  +  +  +  +  -      +
listActionTypes             x  +  +  +  +  +  +  +  +  -      +
healthz                     +  +  +  +  +  +  +  +  +  -      +
readyz                      +  +  +  +  +  +  +  +  +  -      +
metrics                     +  +  +  +  +  +  +  +  +  -      +
openapi                     +  +  +  +  +  +  +  +  +  -      +
docs                        +  +  +  +  +  +  +  +  +  -      +
"""
INVALID: Final = ("revoked", "expired")
_PATHS: Final = {
    "customer": "c-nobody",
    "tag": "t",
    "type": "order.paid",
    "conversation": "v-0",
    "order": "o-0",
    "partner": "p-0",
    "version": 1,
}
_BODIES: Final[dict[str, Any]] = {
    "replaceWorkflow": draft(),
    "replaceTemplate": draft(),
    "replaceMessageTemplate": {"name": "x", "kind": "sms", "text": "Hello"},
    "testWorkflow": {"event": {}},
    "executeWorkflow": {"data": {}},
}


@dataclass(frozen=True)
class Row:
    """What the matrix says of an operation: to whom its door is open, and what is told of others' things.

    Attributes:
        doors: By column, of those who come with a token or none.
        keys: Of API keys, by what they may or why they may not any more.
    """

    doors: dict[str, bool]
    keys: dict[str, bool]
    others: str


def rows() -> dict[str, Row]:
    """Read the matrix."""
    found = {}
    for line in MATRIX.strip().splitlines():
        name, *cells = line.split()
        *cells, key, others, admin = cells
        columns = dict(zip((*COLUMNS, "admin"), (*cells, admin), strict=True))
        doors = {column: cell == "+" for column, cell in columns.items()}
        found[name] = Row(doors, _of_keys(doors, may_look=key == "+"), others)
    return found


def _of_keys(doors: dict[str, bool], *, may_look: bool) -> dict[str, bool]:
    opened: dict[str, bool] = {one: may_look or (doors[one] and not doors["nothing"]) for one in KEY_PERMISSIONS}
    return {"nothing": may_look, **opened, **dict.fromkeys(INVALID, doors["anonymous"])}


ROWS: Final = rows()
BY_NAME: Final = {operation.name: operation for operation in OPERATIONS}


def test_every_operation_has_a_row() -> None:
    """Who adds a route decides who may call it, and says so in the matrix."""
    assert BY_NAME.keys() - ROWS.keys() == set()
    assert ROWS.keys() - BY_NAME.keys() == set()


_KEY: Final = """
INSERT INTO api_keys (id, name, digest, permissions, created_by, expires_at, revoked_at)
VALUES (%(id)s, %(kind)s, %(digest)s, %(permissions)s, gen_random_uuid(),
  CASE WHEN %(kind)s = 'expired' THEN now() - interval '1 second' END, CASE WHEN %(kind)s = 'revoked' THEN now() END)
"""


@pytest.mark.parametrize("name", ROWS)
async def test_doors_are_open_to_whom_the_matrix_says(strict_api: Api, name: str) -> None:
    """A call of each kind of caller: 401 or 403 where the door is closed; whatever else where it is open."""
    operation, row = BY_NAME[name], ROWS[name]
    for column, is_open in row.doors.items():
        answer = await _call(_caller(strict_api, column), operation, uuid4())
        closed = 401 if column == "anonymous" else 403
        assert (answer.status not in {401, 403}) if is_open else answer.status == closed, (column, answer)


@pytest.fixture(scope="module")
def keys(api_database: str) -> dict[str, str]:
    """An API key of each kind."""
    made = {kind: new_api_key() for kind in ("nothing", *KEY_PERMISSIONS, *INVALID, "everything")}
    with psycopg.connect(api_database) as connection:
        for kind, key in made.items():
            granted = [*KEY_PERMISSIONS] if kind in {*INVALID, "everything"} else [kind] if kind != "nothing" else []
            connection.execute(_KEY, {"kind": kind, "id": uuid4(), "digest": digest_of(key), "permissions": granted})
    return made


def _with_key(api: Api, key: str) -> User:
    api.now[0] += ASK_AGAIN_S  # keys were perhaps read before it was made
    return User(api.client, key)


@pytest.mark.parametrize("name", ROWS)
async def test_keys_may_look_and_do_what_their_permission_opens(
    strict_api: Api, keys: dict[str, str], name: str
) -> None:
    """403 for all else, whatever it is; 401 for keys that are none any more."""
    for kind, is_open in ROWS[name].keys.items():
        answer = await _call(_with_key(strict_api, keys[kind]), BY_NAME[name], uuid4())
        closed = 401 if kind in INVALID else 403
        assert (answer.status not in {401, 403}) if is_open else answer.status == closed, (kind, answer)


def bad_tokens(api: Api) -> dict[str, str]:
    """Tokens of an administrator that do not hold, by what is wrong with them."""
    settings, now = api.settings, int(time.time())
    claims = {"sub": str(uuid4()), "role": "admin", "iss": settings.jwt_issuer, "aud": settings.jwt_audience}
    good, secret = {**claims, "exp": now + 600}, settings.jwt_secret.get_secret_value()
    signed = jwt.encode(good, secret, algorithm="HS256")
    return {
        "expired": jwt.encode({**claims, "exp": now - 60}, secret, algorithm="HS256"),
        "wrong signature": jwt.encode(good, secret[::-1], algorithm="HS256"),
        "signature cut": signed[: signed.rindex(".") + 1],
        "alg none": jwt.encode(good, "", algorithm="none"),
        "alg none, signed": ".".join([jwt.encode(good, "", algorithm="none").rstrip("."), signed.rpartition(".")[2]]),
        "for ever": jwt.encode(claims, secret, algorithm="HS256"),
        "other audience": jwt.encode({**good, "aud": "another"}, secret, algorithm="HS256"),
        "other issuer": jwt.encode({**good, "iss": "another"}, secret, algorithm="HS256"),
    }


@pytest.mark.parametrize("name", ROWS)
async def test_a_token_that_does_not_hold_is_none(strict_api: Api, name: str) -> None:
    """401 wherever who brings no token is refused, though it says that it is an administrator's."""
    closed = not ROWS[name].doors["anonymous"]
    for kind, token in bad_tokens(strict_api).items():
        answer = await _call(User(strict_api.client, token), BY_NAME[name], uuid4())
        assert (answer.status == 401) is closed, (kind, answer)
        assert not closed or answer.headers["WWW-Authenticate"].startswith("Bearer"), kind


@dataclass
class Visitor(User):
    """Somebody who comes with headers of the test's own, and without a token."""

    headers: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, path: str | URL, json: Any = None, **options: Any) -> Answer:
        """Call the API."""
        options["headers"] = {**options.get("headers", {}), **self.headers}
        async with self.client.request(method, path, json=json, **options) as response:
            body = await response.json(content_type=None) if response.content_type.endswith("json") else None
            return Answer(response.status, response.headers, body)


def _visitors(api: Api, session: SignedIn) -> tuple[Visitor, dict[str, Visitor]]:
    """Return who comes with a session as they should, and those whose request may be forged."""
    forged = {
        "no token": session.cookie,
        "a wrong token": {**session.cookie, HEADER: "x" * 43},
        "another site's page": {**session.headers, "Origin": "https://elsewhere.example"},
        "another site's request": {**session.headers, "Sec-Fetch-Site": "cross-site"},
    }
    visitors = {kind: Visitor(api.client, "", headers=headers) for kind, headers in forged.items()}
    return Visitor(api.client, "", headers=session.headers), visitors


@pytest.mark.parametrize("role", ["user", "admin"])
@pytest.mark.parametrize("name", ROWS)
async def test_a_session_is_its_user_and_changes_nothing_without_its_token(
    strict_api: Api, api_database: str, name: str, role: Role
) -> None:
    """The cookie opens what a token of the same user does; what changes something needs ``X-CSRF-Token`` beside it."""
    operation, doors = BY_NAME[name], ROWS[name].doors
    is_open = doors["admin" if role == "admin" else "nothing"]
    comes, forged = _visitors(strict_api, await signed_in(api_database, strict_api.settings, role))
    if not doors["anonymous"]:
        for kind, visitor in forged.items():
            status = (await _call(visitor, operation, uuid4())).status
            # An export leaves a line on the audit trail: no other site's link may leave one in somebody's name.
            refused = operation.method != "GET" or (operation.counted == "exports" and kind.startswith("another site"))
            assert (status == 403) is (refused or not is_open), (kind, status)
    answer = await _call(comes, operation, uuid4())
    assert (answer.status not in {401, 403}) if is_open else answer.status == 403, answer


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if not row.doors["anonymous"]])
async def test_a_session_that_is_none_opens_nothing(strict_api: Api, name: str) -> None:
    """401, whatever else comes with it."""
    token = "x" * 43
    made_up = {"Cookie": f"{SESSION}={token}", HEADER: csrf_token(token)}
    assert (await _call(Visitor(strict_api.client, "", headers=made_up), BY_NAME[name], uuid4())).status == 401


def _caller(api: Api, column: str) -> User:
    if column == "anonymous":
        return replace(api.user(), token="")
    if column == "admin":
        return api.user("admin")
    return api.user("user", *(one for one in PERMISSIONS if one == column))


def request_of(operation: Operation, thing: UUID | str) -> tuple[str, Any, dict[str, str]]:
    """Return the path, body and headers of a call that gets past the door and changes nothing."""
    path = operation.path.format(id=thing, number=999_999_999, name="NO_SUCH_SECRET", **_PATHS)
    path += "?seconds=0" if operation.content_type == EVENT_STREAM else ""  # else it ends when it likes
    path += f"?q={thing}" if operation.name == "search" else ""
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
    kept = await owner.call("PUT", f"/api/v1/workflows/{workflow['id']}/draft", {}, headers={"If-Match": '"0"'})
    assert kept.status == 200, kept
    words = await owner.call("POST", "/api/v1/message-templates", _BODIES["replaceMessageTemplate"])
    assert (template.status, words.status) == (201, 201), (template, words)
    notice = uuid4()
    await log.connection.execute(
        "INSERT INTO notifications (id, user_id, title, body, workflow_id, execution_id)"
        " VALUES (%s, %s, 'Theirs', 'x', %s, %s)",
        (notice, owner.id, workflow["id"], uuid4()),
    )
    session = uuid4()
    await log.connection.execute(
        "INSERT INTO users (id, email, name, role) VALUES (%s, %s, 'Owner', 'user')",
        (owner.id, f"{owner.id}@x.example"),
    )
    await log.connection.execute(
        "INSERT INTO sessions (id, user_id, digest, how, expires_at)"
        " VALUES (%s, %s, sha256(%s::text::bytea), 'link', now() + interval '1 day')",
        (session, owner.id, str(session)),
    )
    return owner, {
        "sessions": str(session),
        "users": str(owner.id),
        "workflows": workflow["id"],
        "templates": template.json["id"],
        "message-templates": words.json["id"],
        "notifications": str(notice),
        "executions": str((await log.add(workflow, status="failed", at=datetime.now(UTC)))["id"]),
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


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.others in {"404", "hidden"}])
async def test_keys_see_nothing_of_users(
    strict_api: Api, keys: dict[str, str], things: tuple[User, dict[str, str]], name: str
) -> None:
    """With all that keys may have: it is in no list, nothing is under its id, and nothing can be done to it."""
    _, ids = things
    operation = BY_NAME[name]
    thing = _thing(operation, ids)
    answer = await _call(_with_key(strict_api, keys["everything"]), operation, thing)
    if ROWS[name].others == "404":
        assert answer.status == (404 if operation.method == "GET" else 403)
    else:
        assert answer.status == 200, answer
        assert thing not in str(answer.json)
        listed = [] if isinstance(answer.json, str) else answer.json["items"]
        assert [item for item in listed if not item.get("is_public")] == []


def _thing(operation: Operation, ids: dict[str, str]) -> str:
    """Return the id of a thing of the owner's of the kind that an operation is about; a search is for a workflow."""
    return ids["workflows" if operation.name == "search" else operation.path.split("/")[3]]


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.others == "hidden"])
async def test_another_users_things_are_in_no_list(
    strict_api: Api, things: tuple[User, dict[str, str]], name: str
) -> None:
    """The owner's list has the thing, where it lists such things at all; nobody else's."""
    owner, ids = things
    operation = BY_NAME[name]
    thing = _thing(operation, ids)
    everything = strict_api.user("user", *PERMISSIONS)
    theirs, others, trusted = [await _call(who, operation, thing) for who in (owner, strict_api.user(), everything)]
    assert (theirs.status, others.status, trusted.status) == (200, 200, 200), (theirs, others, trusted)
    if name != "listWaiting":  # nothing of theirs waits
        assert thing in str(theirs.json)
    assert thing not in str(others.json)
    assert thing not in str(trusted.json)


async def test_among_many_another_users_is_answered_as_if_there_were_none(
    strict_api: Api, things: tuple[User, dict[str, str]]
) -> None:
    """Whatever is to be done to them; the owner's is done."""
    owner, ids = things
    path, several = "/api/v1/workflows/bulk", [ids["workflows"], str(uuid4())]
    for do in get_args(Doing):
        answer = await strict_api.user("user", *PERMISSIONS).call("POST", path, {"ids": several, "do": do})
        assert answer.status == 200, answer
        assert {one["status"] for one in answer.json["items"]} == {404}, answer
    answer = await owner.call("POST", path, {"ids": several, "do": "deactivate"})
    assert [one["status"] for one in answer.json["items"]] == [200, 404], answer
