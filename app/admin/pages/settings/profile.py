"""``/settings/profile``: who one is here, what one may do, and one's own password."""

from typing import Final

from aiohttp import web

from app.admin.identity import BY_SESSION
from app.admin.pages.declared import form, page
from app.admin.pages.forms import one_of_each, see_other
from app.admin.pages.settings.people import users_of
from app.admin.pages.settings.reading import did_of
from app.admin.pages.settings.sections import ROOT, shown
from app.admin.pages.settings.words import PERMISSIONS, ROLES
from app.admin.requests import CALLER
from app.admin.signing_in import sign_in_of, whence
from app.services.access.users import password_errors

_ALL: Final = f"{ROOT}/profile"
_CURRENT: Final = "current_password"
_DID: Final = {"password": "Your password is changed. You are signed out everywhere else."}


async def show_profile(request: web.Request) -> web.Response:
    """Show who one is."""
    return await _profile(request, {})


async def set_password(request: web.Request) -> web.Response:
    """Set one's own password, which ends one's other sessions."""
    said, caller, state = one_of_each(request), request[CALLER], sign_in_of(request)
    user = await users_of(request).get(caller, caller.user_id)
    password = said.get("password", "")
    wrong = {one.path: one.message for one in password_errors(password, user.email, user.name)}
    if password != said.get("again", ""):
        wrong["again"] = "is not the same"
    if not await state.by.proves(caller.user_id, said.get(_CURRENT), whence(request)[0]):
        wrong |= {_CURRENT: "is not your password"}
    if wrong:
        return await _profile(request, wrong)
    keep = request[BY_SESSION].signed_in.session.id if BY_SESSION in request else None
    await users_of(request).set_password(caller, caller.user_id, password, keep)
    return see_other(f"{_ALL}?did=password")


async def _profile(request: web.Request, wrong: dict[str, str]) -> web.Response:
    caller = request[CALLER]
    user = await users_of(request).get(caller, caller.user_id)
    may = [said for name, said in PERMISSIONS.items() if caller.may(name)]
    status = 422 if wrong else 200
    did = did_of(request, _DID) if not wrong else ""
    return shown(
        request, "profile.html", status=status, user=user, role=ROLES[user.role], may=may, wrong=wrong, did=did
    )


PAGES: Final = (
    page(_ALL, "profilePage", "Your profile", show_profile),
    form(f"{_ALL}/password", "passwordForm", "Change your password", set_password),
)
