"""The access matrix on the running installation: every operation, by everybody; and another's things by their ids."""

import asyncio
from typing import Any, Final
from uuid import UUID, uuid4

from app.admin.operations import Operation
from app.domain.api_keys import KEY_PERMISSIONS
from app.domain.callers import PERMISSIONS
from app.services.access.key_lookup import FRESH_S
from tests.admin.test_access_matrix import BY_NAME, COLUMNS, ROWS, request_of
from tests.attack.ground import Answer, Ground
from tests.attack.report import Check

_CLOSED: Final = (401, 403)
_SERVER_ERRORS: Final = 500
_NOT_THERE: Final = 404
# A caller may call so often a minute (RATE_LIMIT_PER_MINUTE), and there are more operations than that.
_ROWS_A_KEY: Final = 60


async def doors_are_as_the_matrix_says(ground: Ground) -> list[Check]:
    """Call each operation as each kind of caller, and each operation on a thing with another's id."""
    check = Check("access matrix: operations by roles and permissions")
    for name, row in ROWS.items():
        for column, is_open in row.doors.items():
            answer = await _call(ground, BY_NAME[name], _token(ground, column), str(uuid4()))
            closed = (401, 429) if column == "anonymous" else (403,)
            held = (
                answer.status not in _CLOSED and answer.status < _SERVER_ERRORS if is_open else answer.status in closed
            )
            check.note(f"{name} by {column}: {answer.status}", held=held)
    await _keys_too(ground, check)
    check.figures |= {"operations": len(ROWS), "kinds of callers": len(COLUMNS) + 1}
    return [check, await _anothers_things(ground)]


async def _keys_too(ground: Ground, check: Check) -> None:
    """Each operation with an API key of each permission, and with one that was revoked."""
    rows = list(ROWS.items())
    for at in range(0, len(rows), _ROWS_A_KEY):
        keys = await _new_keys(ground)
        for name, row in rows[at : at + _ROWS_A_KEY]:
            for kind, key in keys.items():
                is_open = row.keys[kind]
                status = (await _call(ground, BY_NAME[name], key, str(uuid4()))).status
                closed = (401, 429) if kind == "revoked" else (403,)
                held = status not in _CLOSED and status < _SERVER_ERRORS if is_open else status in closed
                check.note(f"{name} by a key, {kind}: {status}", held=held)


async def _new_keys(ground: Ground) -> dict[str, str]:
    """Make a key of each permission, and one that is revoked; returns them by what they are."""
    admin = ground.token("admin")
    keys: dict[str, str] = {}
    for kind in (*sorted(KEY_PERMISSIONS), "revoked"):
        asked = {"name": "matrix", "permissions": ["operate" if kind == "revoked" else kind]}
        made = await ground.call("POST", "/api/v1/api-keys", asked, Authorization=f"Bearer {admin}")
        keys[kind] = made.json["key"]
        if kind == "revoked":
            path = f"/api/v1/api-keys/{made.json['id']}"
            await ground.call("DELETE", path, Authorization=f"Bearer {admin}")
    await asyncio.sleep(FRESH_S + 1)  # until every process has read them anew
    return keys


def _token(ground: Ground, column: str) -> str:
    if column in {"anonymous", "admin"}:
        return "" if column == "anonymous" else ground.token("admin")
    return ground.token("user", *(one for one in PERMISSIONS if one == column))


async def _call(ground: Ground, operation: Operation, token: str, thing: str) -> Answer:
    path, body, headers = request_of(operation, thing)
    authorization = f"Bearer {token}" if token else ""
    return await ground.call(operation.method, path, body, **headers, Authorization=authorization)


async def _anothers_things(ground: Ground) -> Check:
    """Another's workflow, template, words and execution, by a user with every permission there is."""
    check = Check("another user's things, by their ids")
    things = await _things(ground)
    for name, row in ROWS.items():
        thing = things.get(BY_NAME[name].path.split("/")[3] if row.others == "404" else "")
        if thing is not None:
            answer = await _call(ground, BY_NAME[name], ground.token("user", *PERMISSIONS), thing)
            check.note(f"{name}: {answer.status}", held=answer.status == _NOT_THERE)
    return check


async def _things(ground: Ground) -> dict[str, str]:
    """Make one of each, with somebody's token; returns their ids by the collection's name."""
    token, kind = ground.token("user"), f"custom.m{uuid4().hex[:10]}"
    workflow = await ground.workflow(kind, {"type": "stop_workflow", "config": {}}, token=token)
    draft: dict[str, Any] = {"name": "theirs", "trigger": {"type": kind}}
    draft["actions"] = [{"type": "stop_workflow", "order": 1, "config": {}}]
    template = await ground.call("POST", "/api/v1/templates", draft, token=token)
    words = {"name": "theirs", "kind": "sms", "text": "Hello"}
    message = await ground.call("POST", "/api/v1/message-templates", words, token=token)
    await ground.stack.settled()
    [(execution, *_)] = await ground.run(workflow, kind, [{}])
    return {
        "workflows": str(workflow),
        "templates": str(UUID(template.json["id"])),
        "message-templates": str(UUID(message.json["id"])),
        "executions": str(execution),
    }
