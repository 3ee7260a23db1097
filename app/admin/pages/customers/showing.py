"""One customer as a page shows them: profile, tags, and what is noted, to be done, agreed, bought and said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Final
from uuid import uuid4

from aiohttp import web

from app.admin.models import ThingQuery
from app.admin.pages.customers.addresses import customer_path
from app.admin.pages.customers.fields import KINDS, fields_of
from app.admin.pages.rendering import rendered
from app.admin.pages.statuses import STATUSES
from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.errors import ActionFailedError
from app.ports.executions import ExecutionFilter
from app.ports.systems import Kind, Repository, Row
from app.systems import customers, sales, work
from app.systems.pages import page_of

_EACH: Final = 10
_THINGS: Final[Mapping[str, Kind]] = {
    "notes": customers.NOTE,
    "tasks": work.TASK,
    "appointments": work.APPOINTMENT,
    "orders": sales.ORDER,
    "conversations": work.CONVERSATION,
}


@dataclass(frozen=True, slots=True)
class Entered:
    """What a form was sent with, which is shown again: what is wrong by field, and the values."""

    form: str = ""
    wrong: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)


NOTHING: Final = Entered()


async def customer_page(
    request: web.Request, customer_id: str, entered: Entered = NOTHING, did: Mapping[str, str] | None = None
) -> web.Response:
    """Show a customer; who is unknown to the CRM is shown with what ran for that id.

    Args:
        request: Whose page it is.
        customer_id: The customer.
        entered: A form that was wrong.
        did: What was just done, to be said.
    """
    state, caller = request.app[STATE], request[CALLER]
    try:
        customer, things = await _known(request, customer_id)
    except ActionFailedError:
        return outside_page(request, does_not_answer=True)
    ran = await state.runs.executions.find(caller, ExecutionFilter(entity=customer_id), None, _EACH)
    known = HTTPStatus.OK if customer else HTTPStatus.NOT_FOUND
    return rendered(
        request,
        "customers/one.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if entered.wrong else known,
        id=customer_id,
        path=customer_path(customer_id),
        customer=customer,
        fields=list(fields_of(customer or {})),
        kinds=KINDS,
        things=things,
        each=_EACH,
        executions=ran.items,
        statuses=STATUSES,
        outside=state.outside.crm,
        may_write=caller.may("crm:write") and state.outside.crm is None,
        note_id=uuid4(),
        entered=entered,
        did=did or {},
    )


def outside_page(request: web.Request, *, does_not_answer: bool = False) -> web.Response:
    """Show what there is of customers whom an outside CRM keeps: who has an id there, where it answers."""
    outside = request.app[STATE].outside.crm
    assert outside is not None, "it is only asked where it is the one that keeps them"
    status = HTTPStatus.SERVICE_UNAVAILABLE if does_not_answer else HTTPStatus.OK
    return rendered(
        request, "customers/outside.html", status=status, host=outside.host, does_not_answer=does_not_answer
    )


async def _known(request: web.Request, customer_id: str) -> tuple[Row | None, dict[str, list[Row]]]:
    """Return what the CRM has of a customer: of an outside one the profile alone."""
    outside = request.app[STATE].outside.crm
    if outside is not None:
        return (await outside.reads.customers([customer_id])).get(customer_id), {}
    async with request.app[STATE].systems.open(None) as repo:
        found = (await repo.crm.customers([customer_id])).get(customer_id)
        return found, {name: await _newest(repo, kind, customer_id) for name, kind in _THINGS.items()}


async def _newest(repo: Repository, kind: Kind, customer_id: str) -> list[Row]:
    newest = await page_of(repo, kind, ThingQuery(limit=_EACH), customer_id)
    return [_timed(row) for row in newest["items"]]


def _timed(row: Row) -> Row:
    """Return a row with its times as such: they come as events show them."""
    times = {name: datetime.fromisoformat(value) for name, value in row.items() if name.endswith("_at") and value}
    return {**row, **times}
