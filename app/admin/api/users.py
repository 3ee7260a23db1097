"""``/api/v1/users``: who may sign in and what they may, for administrators; and each user's own password."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from app.admin.auth import ForbiddenError
from app.admin.identity import BY_SESSION
from app.admin.operations import JSON, MERGE_PATCH, Body, Operation
from app.admin.requests import (
    CALLER,
    answer,
    etag,
    expected_version,
    next_cursor,
    path_id,
    read_document,
    read_json,
    read_model,
    read_query,
)
from app.admin.state import STATE, SignIn
from app.admin.user_models import (
    PasswordChange,
    UserDraft,
    UserMade,
    UserPage,
    UserPatch,
    UserQuery,
    UserView,
    fields,
    view,
)
from app.domain.errors import FieldError
from app.ports.users import User, UserFilter
from app.services.access.users import password_errors
from schemas.reading import Gathered, sound_fields

_ROOT: Final = "/api/v1/users"
_CURRENT: Final = "current_password"
_ONE: Final = f"{_ROOT}/{{id}}"


async def list_users(request: web.Request) -> web.Response:
    """List a page."""
    query = read_query(request, UserQuery)
    wanted = UserFilter(query.search, query.role, query.disabled)
    page = await _of(request).users.page(request[CALLER], wanted, query.cursor, query.limit)
    return answer(
        UserPage(items=[view(user) for user in page.items], next_cursor=next_cursor(request, page.next_cursor))
    )


async def create_user(request: web.Request) -> web.Response:
    """Make one, with a link that signs them in once."""
    draft, users = read_model(await read_document(request, (JSON,)), UserDraft), _of(request).users
    made = await users.create(request[CALLER], draft.email, draft.name, draft.role, draft.permissions)
    link = await users.invite(request[CALLER], made)
    body = UserMade.model_validate({**fields(made), "link_token": link})
    return answer(body, 201, {"Location": f"{_ROOT}/{made.id}", **etag(made.version)})


async def get_user(request: web.Request) -> web.Response:
    """Show one."""
    return _one(await _of(request).users.get(request[CALLER], path_id(request, "user")))


async def patch_user(request: web.Request) -> web.Response:
    """Change one."""
    version, user_id = expected_version(request, required=True), path_id(request, "user")
    patch = read_model(await read_document(request, (MERGE_PATCH, JSON)), UserPatch)
    changes = patch.model_dump(exclude_unset=True)
    return _one(await _of(request).users.change(request[CALLER], user_id, version, changes))


async def delete_user(request: web.Request) -> web.Response:
    """Remove one."""
    await _of(request).users.delete(request[CALLER], path_id(request, "user"))
    return web.Response(status=204)


async def set_password(request: web.Request) -> web.Response:
    """Set a password: one's own with the one before, an administrator another's."""
    caller, user_id, by = request[CALLER], path_id(request, "user"), request.get(BY_SESSION)
    state = _of(request)
    user = await state.users.get(caller, user_id)
    own = user_id == caller.user_id
    if not own and caller.role != "admin":
        raise ForbiddenError("This is for admins")
    wrong = Gathered()
    raw = await read_json(request, (JSON,))
    with wrong:
        read_model(raw, PasswordChange, lambda said: _too_weak(said, user))
    said = sound_fields(raw, PasswordChange)
    told = any(error.path == _CURRENT for error in wrong.errors)
    if own and not told and not await state.by.proves(user_id, said.get(_CURRENT), _address(request)):
        wrong.errors.append(FieldError(_CURRENT, "is not your password"))
    wrong.refuse()
    keep = by.signed_in.session.id if by is not None and own else None
    await state.users.set_password(caller, user_id, said["password"], keep)
    return web.Response(status=204)


def _address(request: web.Request) -> str:
    return request.app[STATE].access.identity.address(request)


def _too_weak(said: Mapping[str, Any], user: User) -> list[FieldError]:
    return password_errors(said["password"], user.email, user.name) if "password" in said else []


def _one(user: User) -> web.Response:
    return answer(view(user), headers=etag(user.version))


def _of(request: web.Request) -> SignIn:
    return request.app[STATE].access.sign_in


_DRAFT: Final = {"email": "ada@example.com", "name": "Ada Lopes", "role": "user", "permissions": ["crm:read"]}
_PATCH: Final = {"role": "user", "permissions": ["crm:read", "operate"]}
_PASSWORD: Final = {"password": "four words nobody guesses"}

OPERATIONS: Final = (
    Operation(
        "GET", _ROOT, "listUsers", "List users", list_users, {200: UserPage}, tag="users", access="admin",
        query=UserQuery,
    ),
    Operation(
        "POST", _ROOT, "createUser", "Make a user; the answer has a token that signs them in once, within 24 hours",
        create_user, {201: UserMade}, tag="users",
        access="admin", body=Body({JSON: (UserDraft, False)}, example=_DRAFT), etag=True, conflicts=True,
    ),
    Operation("GET", _ONE, "getUser", "Show a user, or yourself", get_user, {200: UserView}, tag="users", etag=True),
    Operation(
        "PATCH", _ONE, "patchUser", "Change a user's e-mail, name, role or permissions, or disable them",
        patch_user, {200: UserView}, tag="users", access="admin",
        body=Body({MERGE_PATCH: (UserPatch, False), JSON: (UserPatch, False)}, example=_PATCH),
        etag=True, if_match="required", conflicts=True,
    ),
    Operation(
        "DELETE", _ONE, "deleteUser", "Delete a user, never the last administrator; what they own stays",
        delete_user, {204: None}, tag="users", access="admin", conflicts=True,
    ),
    Operation(
        "POST", f"{_ONE}/password", "setPassword", "Set a password: your own, or as an administrator another's",
        set_password, {204: None}, tag="users", body=Body({JSON: (PasswordChange, False)}, example=_PASSWORD),
    ),
)  # fmt: skip
