"""``/settings/users``: who may sign in and what they may, for administrators."""

from typing import Any, Final

from aiohttp import web

from app.admin.pages.declared import form, page
from app.admin.pages.forms import see_other
from app.admin.pages.lists import asked, link, next_page
from app.admin.pages.settings.people import users_of
from app.admin.pages.settings.reading import REFUSED, Refused, all_of, did_of, text_of, version_of, wrong
from app.admin.pages.settings.sections import ROOT, shown
from app.admin.pages.settings.words import PERMISSIONS, ROLES
from app.admin.requests import CALLER, path_id, read_model
from app.admin.user_models import UserDraft, UserQuery
from app.ports.users import User, UserFilter

_ALL: Final = f"{ROOT}/users"
_DID: Final = {
    "changed": "The user is changed. It counts within two seconds, everywhere.",
    "disabled": "The user is disabled: every session has ended, and no token of theirs holds.",
    "enabled": "The user may sign in again.",
    "deleted": "The user is gone. What they own stays.",
}


async def show_users(request: web.Request) -> web.Response:
    """List them."""
    query, given, said = asked(request, UserQuery, limit="50")
    wanted = UserFilter(query.search, query.role, query.disabled)
    found = await users_of(request).page(request[CALLER], wanted, query.cursor, query.limit)
    return shown(
        request,
        "users.html",
        rows=found.items,
        given=given,
        wrong=said,
        words=_words(query),
        roles=ROLES,
        permissions=PERMISSIONS,
        whole=_ALL,
        first=link(_ALL, given) if query.cursor else None,
        next=next_page(request, _ALL, given, found.next_cursor),
        did=did_of(request, _DID),
    )


def _words(query: UserQuery) -> list[str]:
    may = {None: "", True: "who are disabled", False: "who may sign in"}[query.disabled]
    said = [
        f"with “{query.search}” in name or e-mail" if query.search else "",
        f"in the role {ROLES[query.role].title}" if query.role else "",
        may,
    ]
    return [one for one in said if one]


async def show_new(request: web.Request) -> web.Response:
    """Show the form of a new one."""
    return _form(request, {"email": "", "name": "", "role": "user", "permissions": [], "version": ""})


async def show_one(request: web.Request) -> web.Response:
    """Show the form of one."""
    user = await users_of(request).get(request[CALLER], path_id(request, "user"))
    return _form(request, _written(user), user, did=did_of(request, _DID))


async def add(request: web.Request) -> web.Response:
    """Make one, and show once the link that signs them in."""
    users, caller = users_of(request), request[CALLER]
    try:
        draft = read_model(_typed(request), UserDraft)
        made = await users.create(caller, draft.email, draft.name, draft.role, draft.permissions)
    except REFUSED as error:
        return _form(request, {**_typed(request), "version": ""}, error=error)
    return _invited(request, made, await users.invite(caller, made))


async def invite(request: web.Request) -> web.Response:
    """Make another link, and show it once."""
    user = await users_of(request).get(request[CALLER], path_id(request, "user"))
    return _invited(request, user, await users_of(request).invite(request[CALLER], user))


async def change(request: web.Request) -> web.Response:
    """Change one's e-mail, name, role and permissions."""
    user, typed = await users_of(request).get(request[CALLER], path_id(request, "user")), _typed(request)
    try:
        draft = read_model(typed, UserDraft)
        await users_of(request).change(request[CALLER], user.id, version_of(request), draft.model_dump())
    except REFUSED as error:
        return _form(request, {**typed, "version": text_of(request, "version")}, user, error)
    return see_other(f"{_ALL}/{user.id}?did=changed")


async def disable(request: web.Request) -> web.Response:
    """Keep one out."""
    return await _let_in(request, disabled=True)


async def enable(request: web.Request) -> web.Response:
    """Let one in again."""
    return await _let_in(request, disabled=False)


async def _let_in(request: web.Request, *, disabled: bool) -> web.Response:
    user_id = path_id(request, "user")
    await users_of(request).change(request[CALLER], user_id, None, {"disabled": disabled})
    return see_other(f"{_ALL}/{user_id}?did={'disabled' if disabled else 'enabled'}")


async def delete(request: web.Request) -> web.Response:
    """Remove one."""
    await users_of(request).delete(request[CALLER], path_id(request, "user"))
    return see_other(f"{_ALL}?did=deleted")


def _typed(request: web.Request) -> dict[str, Any]:
    typed: dict[str, Any] = {name: text_of(request, name).strip() for name in ("email", "name")}
    return {**typed, "role": text_of(request, "role") or "user", "permissions": all_of(request, "permissions")}


def _written(user: User) -> dict[str, Any]:
    return {name: getattr(user, name) for name in ("email", "name", "role", "permissions", "version")}


def _form(
    request: web.Request, given: dict[str, Any], user: User | None = None, error: Refused | None = None, did: str = ""
) -> web.Response:
    status, said = wrong(error) if error else (200, {})
    return shown(
        request,
        "user.html",
        status=status,
        given=given,
        user=user,
        wrong=said,
        roles=ROLES,
        permissions=PERMISSIONS,
        mine=user is not None and user.id == request[CALLER].user_id,
        did=did,
    )


def _invited(request: web.Request, user: User, token: str) -> web.Response:
    # Where the browser has sent the form to: it was checked to be ours.
    here = request.headers.get("Origin") or f"{request.scheme}://{request.host}"
    return shown(request, "user_invited.html", user=user, link=f"{here}/sign-in/link?token={token}")


PAGES: Final = (
    page(_ALL, "usersPage", "Users", show_users, access="admin"),
    form(_ALL, "addUserForm", "Make a user", add, access="admin", conflicts=True),
    page(f"{_ALL}/new", "newUserPage", "A new user", show_new, access="admin"),
    page(f"{_ALL}/{{id}}", "userPage", "A user", show_one, access="admin"),
    form(f"{_ALL}/{{id}}", "changeUserForm", "Change a user", change, access="admin", conflicts=True),
    form(f"{_ALL}/{{id}}/link", "inviteForm", "Make a sign-in link", invite, access="admin", conflicts=True),
    form(f"{_ALL}/{{id}}/disable", "disableUserForm", "Disable a user", disable, access="admin", conflicts=True),
    form(f"{_ALL}/{{id}}/enable", "enableUserForm", "Let a user in again", enable, access="admin", conflicts=True),
    form(f"{_ALL}/{{id}}/delete", "deleteUserForm", "Delete a user", delete, access="admin", conflicts=True),
)
