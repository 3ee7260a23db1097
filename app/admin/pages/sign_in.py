"""``/sign-in``: with a password, by a link that holds once, or at the OpenID issuer; and ``/sign-out``."""

from http import HTTPStatus
from typing import Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from app.admin.pages.declared import form, page
from app.admin.pages.forms import one_of_each, read_form, see_other
from app.admin.pages.rendering import rendered
from app.admin.signing_in import end, keep, refuse_other_sites, session_of, sign_in_of, whence
from app.domain.errors import InvalidError
from app.domain.openid import is_path_here

_HOME: Final = "/"
# Whoever was asked for a link pastes all of it.
_IN_LINKS: Final = "token="
_WRONG: Final = "The e-mail or the password is wrong."
_USED: Final = "This link was used already, or has expired. Ask for another one."


class SignInForm(BaseModel):
    """What somebody signs in with."""

    model_config = ConfigDict(extra="ignore")

    email: str = ""
    password: str = ""
    next: str = _HOME


async def show_sign_in(request: web.Request) -> web.Response:
    """Show the form; who is signed in already may go on, or be somebody else."""
    return _form(request, where_to(request.query.get("next", "")))


def _form(request: web.Request, then: str, *, email: str = "", wrong: str = "") -> web.Response:
    status = HTTPStatus.UNAUTHORIZED if wrong else HTTPStatus.OK
    openid = sign_in_of(request).openid is not None
    return rendered(request, "sign_in/form.html", status=status, then=then, email=email, wrong=wrong, openid=openid)


async def sign_in(request: web.Request) -> web.Response:
    """Sign in with a password."""
    refuse_other_sites(request)
    try:
        said = read_form(request, SignInForm)
    except InvalidError:
        return _form(request, _HOME, wrong=_WRONG)
    token = await sign_in_of(request).by.by_password(said.email, said.password, *whence(request))
    then = where_to(said.next)
    return await _signed_in(request, token, then) or _form(request, then, email=said.email, wrong=_WRONG)


async def show_link(request: web.Request) -> web.Response:
    """Ask whether to sign in by a link: mail programs open links to look at them, and it holds once."""
    token = request.query.get("token", "").strip().rpartition(_IN_LINKS)[2]
    return rendered(request, "sign_in/link.html", token=token, then=where_to(request.query.get("next", "")), wrong="")


async def sign_in_by_link(request: web.Request) -> web.Response:
    """Sign in by a link."""
    refuse_other_sites(request)
    said = one_of_each(request)
    token, then = said.get("token", ""), where_to(said.get("next", ""))
    shown = await _signed_in(request, await sign_in_of(request).by.by_link(token, *whence(request)), then)
    return shown or rendered(
        request, "sign_in/link.html", status=HTTPStatus.UNAUTHORIZED, token="", then=then, wrong=_USED
    )


async def sign_out(request: web.Request) -> web.Response:
    """End the session that asks."""
    response = see_other("/sign-in")
    await end(request, response)
    return response


def where_to(path: str) -> str:
    """Return a path of this host as it is, and the first page for anything else."""
    return path if is_path_here(path) else _HOME


async def _signed_in(request: web.Request, token: str | None, then: str) -> web.Response | None:
    """Lead on who has signed in; None for who has not."""
    if token is None or await session_of(request, token) is None:
        return None
    response = see_other(then)
    keep(request, response, token)
    return response


PAGES: Final = (
    page("/sign-in", "signInPage", "Sign in", show_sign_in, access="public"),
    form("/sign-in", "signInForm", "Sign in with a password", sign_in, access="public", attempts=True),
    page("/sign-in/link", "linkPage", "Sign in by a link", show_link, access="public"),
    form("/sign-in/link", "linkForm", "Sign in by a link", sign_in_by_link, access="public", attempts=True),
    form("/sign-out", "signOutForm", "Sign out", sign_out),
)
