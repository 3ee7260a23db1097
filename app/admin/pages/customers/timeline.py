"""All that happened around a customer, newest first: events as the topics have them, with what ran for each."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from aiohttp import web

from app.admin.api.systems import path_values
from app.admin.pages.customers.addresses import customer_path
from app.admin.pages.events.addresses import path_of
from app.admin.pages.events.fates import outcome_of
from app.admin.pages.rendering import rendered
from app.admin.pages.statuses import STATUSES, Shown
from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.errors import UnreachableError
from app.ports.executions import ExecutionFilter, ExecutionSummary
from app.services.operations.event_finding import RecentEvents
from app.services.operations.event_report import EventReport

_EVENTS: Final = 30
_EXECUTIONS: Final = 50
_NONE: Final = RecentEvents(items=[], complete=True)


class Entry(NamedTuple):
    """An event, or of one that the topics do not show any more its type, with what it led to."""

    at: datetime
    type: str | None
    path: str | None
    outcome: Sequence[Shown]
    executions: Sequence[ExecutionSummary]


async def show_timeline(request: web.Request) -> web.Response:
    """Show it; without Kafka what the log knows, and that it is not all."""
    customer_id = str(path_values(request)["customer"])
    state, caller = request.app[STATE], request[CALLER]
    ran = await state.runs.executions.find(caller, ExecutionFilter(entity=customer_id), None, _EXECUTIONS)
    unreachable = False
    try:
        came = await state.events.recent(caller, None, customer_id, _EVENTS)
    except UnreachableError:
        came, unreachable = _NONE, True
    async with state.systems.open(None) as repo:
        customer = (await repo.crm.customers([customer_id])).get(customer_id)
    entries = sorted(_entries(came.items, ran.items), key=lambda one: one.at, reverse=True)
    return rendered(
        request,
        "customers/timeline.html",
        id=customer_id,
        path=customer_path(customer_id),
        customer=customer,
        entries=entries,
        statuses=STATUSES,
        unreachable=unreachable,
        complete=came.complete,
    )


def _entries(events: Iterable[EventReport], executions: Sequence[ExecutionSummary]) -> Iterator[Entry]:
    of_event: dict[str, list[ExecutionSummary]] = {}
    for one in executions:
        of_event.setdefault(one.event_id or str(one.id), []).append(one)
    for event in events:
        ran = of_event.pop(event.id or "", [])
        at = event.received_at or (ran[0].executed_at if ran else None)
        if at is not None:
            yield Entry(at, event.type, path_of(event), outcome_of(event), ran)
    for ran in of_event.values():
        yield Entry(ran[-1].executed_at, ran[-1].event_type, None, (), ran)
