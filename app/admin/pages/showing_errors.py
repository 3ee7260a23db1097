"""Errors as pages: what happened, what to do next, and the id to quote; who is not signed in is sent to sign in."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from aiohttp import web

from app.admin.forgery import GIVEN
from app.admin.identity import BY_SESSION
from app.admin.middleware import ERRORS_SHOWN, ErrorsShown
from app.admin.pages.rendering import rendered
from schemas.problem import Problem

_SAFE: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Words:
    """How an error is said to a person."""

    title: str
    next_step: str


_WORDS: Final[Mapping[int, Words]] = {
    400: Words("That could not be read", "Go back and look at what you entered."),
    401: Words("You are not signed in", "Sign in and do it again; what you entered has not been kept."),
    403: Words("You may not do this", "Ask an administrator if you should be able to."),
    404: Words("There is nothing here", "It may have been deleted, or belong to somebody else."),
    405: Words("That cannot be done here", "Go back and follow a link or a button of the page."),
    409: Words("That cannot be done now", "Mend what is said above, and try again."),
    412: Words("Somebody else has changed this", "Go back, load the page again and look at what is different."),
    413: Words("That is too large", "Send less at once."),
    429: Words("Too many requests", "Wait for a minute, then try again."),
    503: Words("A system behind Headrace does not answer", "Nothing is lost. Try again in a minute."),
}
_STALE: Final = Words("Nothing was done", "Go back, load the page again, and do it once more.")
_OTHERS: Final = Words("Something went wrong here", "Try again. If it stays, tell your administrator the id below.")


def error_page(request: web.Request, problem: Problem, headers: Mapping[str, str]) -> web.Response:
    """Show a problem as a page; to sign in leads whatever is only looked at."""
    if problem.status == HTTPStatus.UNAUTHORIZED and request.method in _SAFE:
        return web.Response(
            status=303, headers={"Location": f"/sign-in?next={quote(request.path_qs, safe='/')}"}, text=""
        )
    words = _WORDS.get(problem.status, _OTHERS)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        # How programs prove who they are is no help to a person.
        problem = problem.model_copy(update={"detail": "Your session has ended, or you have not signed in yet."})
    elif problem.status == HTTPStatus.FORBIDDEN and GIVEN in request and BY_SESSION not in request:
        words = _STALE
    if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
        # Which methods there are is for programs: `Allow` tells them.
        problem = problem.model_copy(update={"detail": "This address is not for what your browser asked of it."})
    response = rendered(request, "error.html", status=problem.status, words=words, problem=problem)
    response.headers.update({name: value for name, value in headers.items() if name in {"Retry-After", "Allow"}})
    return response


def shows_errors(request: web.Request) -> None:
    """Have what goes wrong with a request be shown as a page."""
    request[ERRORS_SHOWN] = ErrorsShown(error_page)
