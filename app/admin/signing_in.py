"""What signing in is to a browser, however it is done: where it comes from, and the cookie that it gets."""

from aiohttp import web

from app.admin.state import STATE


def whence(request: web.Request) -> tuple[str, str]:
    """Return the address and the browser that somebody comes with."""
    return request.app[STATE].access.identity.address(request), request.headers.get("User-Agent", "")


def keep(request: web.Request, response: web.Response, token: str) -> None:
    """Give the browser the cookie of its session."""
    sign_in = request.app[STATE].access.sign_in
    sign_in.cookie.set(request, response, token, sign_in.lives_s)
