"""Pages and forms, declared once: routes and access checks come from here."""

from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from app.admin.operations import Handler, Operation
from app.admin.pages.forms import FORM, QUESTION
from app.admin.pages.rendering import rendered

HTML: Final = "text/html"
_TAG: Final = "pages"


class Address(BaseModel):
    """What a page's address may hold beside its path: anything, so that an old or a shared one still leads there."""

    model_config = ConfigDict(extra="ignore")


def page(path: str, name: str, summary: str, handler: Handler, **more: Any) -> Operation:
    """Declare a page: what is seen at a path. ``more`` is an operation's: access, permission."""
    return Operation(
        "GET", path, name, summary, handler, {200: None}, tag=_TAG, content_type=HTML, query=Address, **more
    )


def form(path: str, name: str, summary: str, handler: Handler, **more: Any) -> Operation:
    """Declare what a page's form does: it is sent by POST, and leads to a page (303) or shows itself again (422).

    One that asks before it does that, and could not without scripts, is asked about by a page.
    """

    async def answer(request: web.Request) -> web.StreamResponse:
        return _asking(request) if request[QUESTION] else await handler(request)

    return Operation("POST", path, name, summary, answer, {303: None}, tag=_TAG, content_type=HTML, **more)


def _asking(request: web.Request) -> web.Response:
    """Ask what the form is to ask; nothing is done yet."""
    back = urlsplit(request.headers.get("Referer", ""))
    here = back.netloc == request.host and back.path.startswith("/")
    return rendered(
        request,
        "ask.html",
        question=request[QUESTION],
        fields=request[FORM],
        back=f"{back.path}?{back.query}" if here else "/",
    )
