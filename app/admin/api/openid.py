"""``/api/v1/session/oidc``: signing in at an OpenID issuer; the browser goes there and comes back with a code."""

import hmac
from typing import Annotated, Final
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, Field

from app.admin.auth import UnauthorizedError
from app.admin.operations import Operation
from app.admin.queries import Query as _Query
from app.admin.requests import read_query
from app.admin.signing_in import keep, whence
from app.admin.state import STATE, OpenId
from app.domain.errors import ConflictError
from app.domain.openid import HOME, MAX_PATH, Attempt

_ROOT: Final = "/api/v1/session/oidc"
_LIVES_S: Final = 600

# Of the characters that RFC 6749 (appendix A) gives them; as long as they fit into a request line, 8 kB, escaped.
_PRINTABLE: Final = r"^[\x20-\x7e]*$"
Code = Annotated[str, Field(max_length=2000, pattern=_PRINTABLE)]
Short = Annotated[str, Field(max_length=200, pattern=_PRINTABLE)]


class OpenIdQuery(_Query):
    """Where the browser goes once it has signed in: a path on this host."""

    next: Annotated[str, Field(max_length=MAX_PATH)] = HOME


class OpenIdAnswer(BaseModel):
    """What the browser brings back from the issuer; more may come with it."""

    code: Code = ""
    state: Short = ""
    iss: Short = ""
    error: Short = ""


async def begin_openid(request: web.Request) -> web.Response:
    """Send the browser to the issuer."""
    openid = _openid(request)
    attempt = Attempt.new(read_query(request, OpenIdQuery).next)
    response = _redirect(await openid.issuer.authorization_url(attempt))
    openid.cookie.set(request, response, attempt.cookie, _LIVES_S)
    return response


async def end_openid(request: web.Request) -> web.Response:
    """Let the browser in that the issuer has sent back."""
    openid, access = _openid(request), request.app[STATE].access
    address, agent = whence(request)
    await access.sign_in.by.count(address)
    try:
        user_id, attempt = await _let_in(request, openid)
    except UnauthorizedError:
        await access.sign_in.by.refused_by_issuer(address)
        raise
    token = await access.sign_in.by.opened(user_id, "openid", address, agent)
    response = _redirect(attempt.path)
    openid.cookie.clear(request, response)
    keep(request, response, token)
    return response


async def _let_in(request: web.Request, openid: OpenId) -> tuple[UUID, Attempt]:
    """Return who has signed in at the issuer, in the attempt that this browser has begun.

    Raises:
        UnauthorizedError: Nobody has who may come in.
    """
    said, attempt = read_query(request, OpenIdAnswer), Attempt.read(openid.cookie.read(request) or "")
    if attempt is None or not hmac.compare_digest(said.state.encode(), attempt.state.encode()):
        raise UnauthorizedError("this sign-in was not begun in this browser, or took too long; begin again")
    if said.error or not said.code or said.iss not in {"", openid.issuer.url}:
        raise UnauthorizedError("the issuer did not let you sign in")
    user_id = await openid.users.user_of(await openid.issuer.claims(said.code, attempt))
    if user_id is None:
        raise UnauthorizedError("there is no user for who has signed in at the issuer; ask an administrator")
    return user_id, attempt


def _openid(request: web.Request) -> OpenId:
    found = request.app[STATE].access.sign_in.openid
    if found is None:
        raise ConflictError("Signing in by OpenID Connect is not set up (HEADRACE_OIDC_ISSUER)")
    return found


def _redirect(where: str) -> web.Response:
    return web.Response(status=302, headers={"Location": where}, text="")


OPERATIONS: Final = (
    Operation(
        "GET", _ROOT, "beginOpenId", "Sign in at the OpenID issuer: the browser is sent there",
        begin_openid, {302: None}, tag="session", access="public",
        query=OpenIdQuery, conflicts=True, attempts=True, content_type="text/plain",
    ),
    Operation(
        "GET", f"{_ROOT}/callback", "endOpenId", "Come back from the OpenID issuer; the session comes as a cookie",
        end_openid, {302: None}, tag="session", access="public",
        query=OpenIdAnswer, conflicts=True, attempts=True, content_type="text/plain",
    ),
)  # fmt: skip
