"""``/api/v1/session`` and ``/api/v1/sessions``: signing in and out, who calls, and which sessions there are."""

from typing import Any, Final

from aiohttp import web

from app.admin.auth import UnauthorizedError
from app.admin.bodies import HOLD
from app.admin.identity import BY_SESSION
from app.admin.limits import KIB
from app.admin.operations import JSON, Body, Operation
from app.admin.requests import CALLER, answer, next_cursor, path_id, read_json, read_model, read_query
from app.admin.session_models import Me, SessionPage, SessionQuery, SessionView
from app.admin.signing_in import end, keep, refuse_other_sites, session_of, sign_in_of, whence
from app.admin.state import STATE
from app.admin.user_models import Credentials, LinkToken
from app.domain.callers import NOBODY, PERMISSIONS, Caller
from app.domain.sessions import csrf_token
from app.ports.sessions import Session, SignedIn

_ONE: Final = "/api/v1/session"
_ALL: Final = "/api/v1/sessions"


async def show_session(request: web.Request) -> web.Response:
    """Say who calls."""
    found = request.get(BY_SESSION)
    return answer(me(request[CALLER], found.signed_in if found else None, found.token if found else ""))


async def sign_in(request: web.Request) -> web.Response:
    """Sign in with a password."""
    refuse_other_sites(request)
    said = read_model(await _public_json(request), Credentials)
    token = await sign_in_of(request).by.by_password(said.email, said.password, *whence(request))
    return await _signed_in(request, token, "the e-mail or the password is wrong")


async def sign_in_by_link(request: web.Request) -> web.Response:
    """Sign in with a link's token."""
    refuse_other_sites(request)
    said = read_model(await _public_json(request), LinkToken)
    token = await sign_in_of(request).by.by_link(said.token, *whence(request))
    return await _signed_in(request, token, "the link was used, or has expired, or is none")


async def sign_out(request: web.Request) -> web.Response:
    """End the session that asks; a token just goes on holding."""
    response = web.Response(status=204)
    await end(request, response)
    return response


async def list_sessions(request: web.Request) -> web.Response:
    """List a page."""
    query, found = read_query(request, SessionQuery), request.get(BY_SESSION)
    page = await sign_in_of(request).listed.page(request[CALLER], query.user, query.cursor, query.limit)
    current = found.signed_in.session if found else None
    return answer(
        SessionPage(
            items=[_view(one, current) for one in page.items], next_cursor=next_cursor(request, page.next_cursor)
        )
    )


async def end_session(request: web.Request) -> web.Response:
    """End one."""
    await sign_in_of(request).listed.end(request[CALLER], path_id(request, "session"))
    return web.Response(status=204)


async def _public_json(request: web.Request) -> Any:
    """Read a body of somebody who is not known yet: all of them together may have as many bytes as one caller."""
    with request.app[STATE].bodies.holding(NOBODY) as request[HOLD]:
        return await read_json(request, (JSON,))


async def _signed_in(request: web.Request, token: str | None, refusal: str) -> web.Response:
    """Answer who has signed in, and give the browser its cookie.

    Raises:
        UnauthorizedError: They have not.
    """
    found = await session_of(request, token)
    if token is None or found is None:
        raise UnauthorizedError(refusal)
    caller = request.app[STATE].access.identity.admitted(found.caller)
    response = answer(me(caller, found, token))
    keep(request, response, token)
    return response


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


_PASSWORD: Final = {"email": "sam@example.com", "password": "four words nobody guesses"}
_LINK: Final = {"token": "hrl_8Xn2kq0vYc1rT5wZ7uB3mD6sF9gH4jK8pL2aQ1eR0tU"}

OPERATIONS: Final = (
    Operation(
        "POST", _ONE, "signIn", "Sign in with e-mail and password; the session comes as a cookie",
        sign_in, {200: Me}, tag="session", access="public",
        body=Body({JSON: (Credentials, False)}, most=16 * KIB, example=_PASSWORD), attempts=True,
    ),
    Operation(
        "POST", f"{_ONE}/link", "signInByLink", "Sign in with the token of a link, which holds once",
        sign_in_by_link, {200: Me}, tag="session", access="public",
        body=Body({JSON: (LinkToken, False)}, most=16 * KIB, example=_LINK), attempts=True,
    ),
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
