"""What signing in and out is to a browser, however it is done: a session, and the cookie that is its token."""

from aiohttp import web

from app.admin.identity import BY_SESSION
from app.admin.state import STATE, SignIn
from app.ports.sessions import SignedIn


def sign_in_of(request: web.Request) -> SignIn:
    """Return what signs people in."""
    return request.app[STATE].access.sign_in


def refuse_other_sites(request: web.Request) -> None:
    """Refuse what another site's page sends: it would sign somebody in as somebody else.

    Raises:
        ForbiddenError: One has sent it.
    """
    request.app[STATE].access.identity.forgery.check_site(request)


def whence(request: web.Request) -> tuple[str, str]:
    """Return the address and the browser that somebody comes with."""
    return request.app[STATE].access.identity.address(request), request.headers.get("User-Agent", "")


async def session_of(request: web.Request, token: str | None) -> SignedIn | None:
    """Return the session that was just opened; None where none was."""
    return await sign_in_of(request).sessions.found(token) if token else None


def keep(request: web.Request, response: web.Response, token: str) -> None:
    """Give the browser its session's cookie."""
    state = sign_in_of(request)
    state.cookie.set(request, response, token, state.lives_s)


async def end(request: web.Request, response: web.Response) -> None:
    """End the session that asks, if one does, and take the browser's cookie."""
    state, found = sign_in_of(request), request.get(BY_SESSION)
    if found is not None:
        await state.sessions.end(found.token, found.signed_in)
        state.cookie.clear(request, response)
