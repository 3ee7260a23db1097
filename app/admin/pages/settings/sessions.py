"""``/settings/sessions``: where somebody is signed in, and ending it; an administrator sees another's."""

from typing import Final
from uuid import UUID

from aiohttp import web

from app.admin.identity import BY_SESSION
from app.admin.pages.declared import form, page
from app.admin.pages.forms import see_other
from app.admin.pages.lists import asked, link, next_page
from app.admin.pages.settings.people import users_of
from app.admin.pages.settings.reading import did_of, text_of
from app.admin.pages.settings.sections import ROOT, shown
from app.admin.pages.settings.words import HOW
from app.admin.requests import CALLER, path_id
from app.admin.session_models import SessionQuery
from app.admin.signing_in import sign_in_of
from app.domain.errors import NotFoundError

_ALL: Final = f"{ROOT}/sessions"
_PAGE: Final = 200
_DID: Final = {
    "ended": "The session has ended: within two seconds nothing can be done with it.",
    "ended-others": "All other sessions have ended.",
}


async def show_sessions(request: web.Request) -> web.Response:
    """List those of who looks, or of whom an administrator looks after."""
    query, given, _ = asked(request, SessionQuery, limit="50")
    caller = request[CALLER]
    user_id = query.user if query.user is not None and caller.role == "admin" else caller.user_id
    own = user_id == caller.user_id
    who = "" if own else (await users_of(request).get(caller, user_id)).name
    found = await sign_in_of(request).listed.page(caller, user_id, query.cursor, query.limit)
    return shown(
        request,
        "sessions.html",
        rows=found.items,
        current=_current(request),
        own=own,
        who=who,
        user_id=user_id,
        how=HOW,
        first=link(_ALL, given) if query.cursor else None,
        next=next_page(request, _ALL, given, found.next_cursor),
        did=did_of(request, _DID),
    )


async def end_one(request: web.Request) -> web.Response:
    """End one."""
    session_id = path_id(request, "session")
    await sign_in_of(request).listed.end(request[CALLER], session_id)
    return see_other("/sign-in" if session_id == _current(request) else _back(request, "ended"))


async def end_others(request: web.Request) -> web.Response:
    """End all of who asks but for the one that asks."""
    listed, caller = sign_in_of(request).listed, request[CALLER]
    page = await listed.page(caller, caller.user_id, None, _PAGE)
    for session in page.items:
        if session.id != _current(request):
            await _end(request, session.id)
    return see_other(f"{_ALL}?did=ended-others")


async def _end(request: web.Request, session_id: UUID) -> None:
    """End one that may have ended meanwhile."""
    try:
        await sign_in_of(request).listed.end(request[CALLER], session_id)
    except NotFoundError:
        return


def _current(request: web.Request) -> UUID | None:
    return request[BY_SESSION].signed_in.session.id if BY_SESSION in request else None


def _back(request: web.Request, did: str) -> str:
    """Return the list that the form stands in."""
    user = text_of(request, "user")
    return link(_ALL, {"user": user} if user else {}, did=did)


PAGES: Final = (
    page(_ALL, "sessionsPage", "Sessions", show_sessions),
    form(f"{_ALL}/end-others", "endOtherSessionsForm", "End all other sessions", end_others),
    form(f"{_ALL}/{{id}}/end", "endSessionForm", "End a session", end_one),
)
