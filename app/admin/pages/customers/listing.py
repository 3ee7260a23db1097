"""``/customers``: found by an id, or by how an e-mail, a name or a last name begins; or all of them by id."""

from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from app.admin.pages.customers.addresses import ROOT, customer_path
from app.admin.pages.customers.showing import outside_page
from app.admin.pages.declared import page
from app.admin.pages.forms import see_other
from app.admin.pages.lists import asked, link
from app.admin.pages.rendering import rendered
from app.admin.queries import Query, Text
from app.admin.state import STATE

_ROWS: Final = 50


class CustomersQuery(Query):
    """What they are called, or after whose id the list goes on."""

    q: Text = None
    after: Annotated[str, Field(max_length=256)] = ""


async def show_customers(request: web.Request) -> web.Response:
    """Show those that are looked for, or all."""
    query, given, wrong = asked(request, CustomersQuery)
    words = (query.q or "").strip()
    if request.app[STATE].outside.crm is not None:
        return see_other(customer_path(words)) if words else outside_page(request)
    async with request.app[STATE].systems.open(None) as repo:
        found = await (repo.find_customers(words, _ROWS) if words else repo.crm.customers_after(query.after, _ROWS))
    more = not words and len(found) == _ROWS
    return rendered(
        request,
        "customers/list.html",
        rows=[(one, customer_path(one["id"])) for one in found],
        given=given,
        wrong=wrong,
        words=[f"whose id, e-mail or name begins with “{words}”"] if words else [],
        cut=bool(words) and len(found) == _ROWS,
        first=ROOT if query.after else None,
        next=link(ROOT, {}, after=found[-1]["id"]) if more else None,
        whole=ROOT,
    )


PAGES: Final = (page(ROOT, "customersPage", "Customers", show_customers, permission="crm:read"),)
