"""``/outbox``: mail, SMS, WhatsApp messages and webhooks that went out, where stand-ins took them (``headrace up``).

For administrators: it shows what the workflows of all users have sent. Where real receivers are set up there is none.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final, get_args

from aiohttp import web
from pydantic import Field

from app.admin.pages.declared import page
from app.admin.pages.json_text import set_out
from app.admin.pages.lists import asked, link
from app.admin.pages.rendering import rendered
from app.admin.pages.sandboxed import sandboxed
from app.admin.queries import Query
from app.admin.requests import path_number
from app.admin.state import STATE
from app.domain.errors import NotFoundError, UnreachableError
from app.ports.sent_messages import SentKind, SentMessage, SentMessages

_ROOT: Final = "/outbox"
_ONE: Final = f"{_ROOT}/{{kind}}/{{number}}"
_ROWS: Final = 50
KINDS: Final[Mapping[SentKind, tuple[str, str]]] = {
    "mail": ("Mail", "outbox"),
    "sms": ("SMS", "message"),
    "whatsapp": ("WhatsApp", "message"),
    "webhook": ("Webhook", "webhook"),
}


class OutboxQuery(Query):
    """Which of them."""

    kind: SentKind | None = None
    before: Annotated[float | None, Field(ge=0, le=1e12, description="Seconds since 1970")] = None


async def show_outbox(request: web.Request) -> web.Response:
    """Show what went out, newest first."""
    sent = _sent(request)
    query, given, wrong = asked(request, OutboxQuery)
    rest = {name: value for name, value in given.items() if name != "before"}
    found: Sequence[SentMessage] | None = None
    with suppress(UnreachableError):
        found = await sent.newest(query.kind, query.before, _ROWS + 1)
    rows = (found or [])[:_ROWS]
    return rendered(
        request,
        "outbox/list.html",
        status=HTTPStatus.SERVICE_UNAVAILABLE if found is None else HTTPStatus.OK,
        rows=rows,
        kinds=KINDS,
        given=rest,
        wrong=wrong,
        words=[f"of the kind {KINDS[query.kind][0]}"] if query.kind else [],
        unreachable=found is None,
        first=link(_ROOT, rest) if query.before else None,
        next=link(_ROOT, rest, before=_seconds(rows[-1].at)) if len(found or ()) > _ROWS else None,
        whole=_ROOT,
    )


def _seconds(at: datetime) -> str:
    return repr(at.timestamp())


async def show_sent(request: web.Request) -> web.Response:
    """Show one as its receiver has it."""
    one = await _one(request)
    return rendered(
        request,
        "outbox/one.html",
        one=one,
        kind=KINDS[one.kind][0],
        html_path=f"{_ROOT}/mail/{one.number}/html" if one.html else None,
        text=_readable(one),
    )


async def show_mail_html(request: web.Request) -> web.Response:
    """Show a mail's HTML, where nothing of it can act."""
    one = await _sent(request).get("mail", path_number(request, "mail"))
    if not one.html:
        raise NotFoundError("The mail has no HTML")
    return sandboxed(one.html)


def _readable(one: SentMessage) -> str:
    """Return what it says; JSON with a line for each member."""
    return set_out(one.text) if one.kind == "webhook" else one.text


def _sent(request: web.Request) -> SentMessages:
    """Return what knows what went out.

    Raises:
        NotFoundError: It goes to real receivers.
    """
    found = request.app[STATE].outside.sent
    if found is None:
        raise NotFoundError("There is no outbox: what goes out goes to the servers that are set up")
    return found


async def _one(request: web.Request) -> SentMessage:
    sent, kind = _sent(request), request.match_info["kind"]
    for known in get_args(SentKind):
        if known == kind:
            return await sent.get(known, path_number(request, "message"))
    raise NotFoundError("There is no such kind of message")


PAGES: Final = (
    page(_ROOT, "outboxPage", "Outbox", show_outbox, access="admin"),
    page(_ONE, "sentPage", "A message that went out", show_sent, access="admin"),
    page(f"{_ROOT}/mail/{{number}}/html", "mailHtmlPage", "A mail's HTML", show_mail_html, access="admin"),
)
