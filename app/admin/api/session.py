"""``/api/v1/session`` and ``/api/v1/sessions``: who calls, signing out, and which sessions there are."""

from typing import Final

from aiohttp import web

from app.admin.identity import BY_SESSION
from app.admin.operations import Operation
from app.admin.requests import CALLER, answer, path_id, read_query
from app.admin.session_models import Me, SessionPage, SessionQuery, SessionView
from app.admin.state import STATE
from app.domain.callers import PERMISSIONS, Caller
from app.domain.sessions import csrf_token
from app.ports.sessions import Session, SignedIn

_ONE: Final = "/api/v1/session"
_ALL: Final = "/api/v1/sessions"


async def show_session(request: web.Request) -> web.Response:
    """Say who calls."""
    found = request.get(BY_SESSION)
    return answer(me(request[CALLER], found.signed_in if found else None, found.token if found else ""))


async def sign_out(request: web.Request) -> web.Response:
    """End the session that asks; a token just goes on holding."""
    state, found = request.app[STATE].access.sign_in, request.get(BY_SESSION)
    response = web.Response(status=204)
    if found is not None:
        await state.sessions.end(found.token, found.signed_in.session)
        state.cookie.clear(request, response)
    return response


async def list_sessions(request: web.Request) -> web.Response:
    """List a page."""
    query, found = read_query(request, SessionQuery), request.get(BY_SESSION)
    page = await request.app[STATE].access.sign_in.listed.page(request[CALLER], query.user, query.cursor, query.limit)
    current = found.signed_in.session if found else None
    return answer(SessionPage(items=[_view(one, current) for one in page.items], next_cursor=page.next_cursor))


async def end_session(request: web.Request) -> web.Response:
    """End one."""
    await request.app[STATE].access.sign_in.listed.end(request[CALLER], path_id(request, "session"))
    return web.Response(status=204)


def me(caller: Caller, signed_in: SignedIn | None, token: str) -> Me:
    """Say who somebody is."""
    return Me(
        id=caller.user_id,
        role=caller.role,
        permissions=sorted(one for one in PERMISSIONS if caller.may(one)),
        email=signed_in.email if signed_in else None,
        name=signed_in.name if signed_in else None,
        session=_view(signed_in.session, signed_in.session) if signed_in else None,
        csrf_token=csrf_token(token) if signed_in else None,
    )


def _view(session: Session, current: Session | None) -> SessionView:
    return SessionView(
        id=session.id,
        user_id=session.user_id,
        how=session.how,
        address=session.address,
        agent=session.agent,
        created_at=session.created_at,
        seen_at=session.seen_at,
        expires_at=session.expires_at,
        current=current is not None and current.id == session.id,
    )


OPERATIONS: Final = (
    Operation(
        "GET", _ONE, "showSession", "Say who calls, and the token that a session's requests need",
        show_session, {200: Me}, tag="session",
    ),
    Operation(
        "DELETE", _ONE, "signOut", "Sign out: end the session that asks", sign_out, {204: None}, tag="session",
    ),
    Operation(
        "GET", _ALL, "listSessions", "List your sessions; an administrator may list another's", list_sessions,
        {200: SessionPage}, tag="session", query=SessionQuery,
    ),
    Operation(
        "DELETE", f"{_ALL}/{{id}}", "endSession", "End a session; it is refused within two seconds",
        end_session, {204: None}, tag="session",
    ),
)  # fmt: skip
