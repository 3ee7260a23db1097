"""The executions that wait: for what, until when; and cancelling them."""

from typing import Final

from aiohttp import web

from app.admin.execution_models import WaitingQuery
from app.admin.pages.declared import form, page
from app.admin.pages.executions.chosen import do_to_chosen
from app.admin.pages.executions.words import where_it_stands, why_it_waits
from app.admin.pages.forms import see_other
from app.admin.pages.lists import asked, link, next_page
from app.admin.pages.rendering import rendered
from app.admin.requests import CALLER, path_id
from app.admin.state import STATE
from app.domain.errors import NotFoundError
from app.domain.paging import read_cursor

_ROOT: Final = "/executions"
_PATH: Final = f"{_ROOT}/waiting"
_ROWS: Final = "50"


async def show_waiting(request: web.Request) -> web.Response:
    """Show those that wait."""
    query, given, wrong = asked(request, WaitingQuery, limit=_ROWS)
    found = await request.app[STATE].runs.waiting.find(
        request[CALLER], query.workflow_id, query.entity, read_cursor(query.cursor), query.limit
    )
    return rendered(
        request,
        "executions/waiting.html",
        rows=[(one, where_it_stands(one), why_it_waits(one)) for one in found.items],
        given=given,
        wrong=wrong,
        words=await _words(request, query),
        did=request.query.get("did", ""),
        filters=link("", given).removeprefix("?"),
        first=link(_PATH, given) if query.cursor else None,
        next=next_page(request, _PATH, given, found.next_cursor),
        whole=_PATH,
    )


async def _words(request: web.Request, query: WaitingQuery) -> list[str]:
    """Say what the list is filtered by, a phrase each."""
    said = [f"about {query.entity}"] if query.entity else []
    if query.workflow_id is None:
        return said
    try:
        name = (await request.app[STATE].workflows.get(request[CALLER], query.workflow_id)).name
    except NotFoundError:
        name = str(query.workflow_id)
    return [f"of {name}", *said]


async def cancel(request: web.Request) -> web.Response:
    """End one that waits, and show what waits still."""
    await request.app[STATE].runs.cancelling.one(request[CALLER], path_id(request, "execution"))
    return see_other(f"{_PATH}?did=cancelled")


async def cancel_chosen(request: web.Request) -> web.Response:
    """End those that were chosen."""
    state, caller = request.app[STATE], request[CALLER]
    return await do_to_chosen(request, _PATH, "cancelled", lambda one: state.runs.cancelling.one(caller, one))


PAGES: Final = (
    page(_PATH, "waitingPage", "Executions that wait", show_waiting),
    form(f"{_PATH}/cancel", "cancelChosenForm", "Cancel several executions", cancel_chosen, conflicts=True),
    form(f"{_ROOT}/{{id}}/cancel", "cancelForm", "Cancel an execution", cancel, conflicts=True),
)
