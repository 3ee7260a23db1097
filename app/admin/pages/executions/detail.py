"""One execution in full: why it ran or did not, what each step came to, what led to it and what it led to."""

import re
from typing import Final

from aiohttp import web

from app.actions.step_words import type_title
from app.admin.pages.declared import form, page
from app.admin.pages.events.addresses import event_path
from app.admin.pages.events.fates import conditions_of
from app.admin.pages.executions.causes import chain_of
from app.admin.pages.executions.rendered_steps import RenderedSteps, rendered_steps
from app.admin.pages.executions.waits import waits_of
from app.admin.pages.forms import see_other
from app.admin.pages.log_words import in_person_words
from app.admin.pages.rendering import rendered
from app.admin.pages.statuses import STATUSES, STEPS
from app.admin.requests import CALLER, path_id
from app.admin.state import STATE
from app.domain.statuses import RETRYABLE
from app.ports.executions import ExecutionDetail
from app.services.operations.executions import explained
from app.services.operations.observations import AS_SPOKEN

_ROOT: Final = "/executions"
_ONE: Final = f"{_ROOT}/{{id}}"
_RETRIED: Final = re.compile(r"retried-([0-9]{1,6})")


async def show_execution(request: web.Request) -> web.Response:
    """Show one in full."""
    caller = request[CALLER]
    one = await request.app[STATE].runs.executions.get(caller, path_id(request, "execution"))
    wants_sent = "sent" in request.query
    began = _began(request)
    sent = await rendered_steps(request, one) if wants_sent and one.results else RenderedSteps()
    return rendered(
        request,
        "executions/one.html",
        one=one,
        why=in_person_words(explained(one, AS_SPOKEN)),
        steps=[
            (result, type_title(result.action_type), waited)
            for result, waited in zip(one.results, waits_of(one), strict=True)
        ],
        conditions=list(conditions_of(one.verdicts)),
        conditions_of=lambda verdicts: list(conditions_of(verdicts)),
        sent=sent,
        wants_sent=wants_sent,
        written=one.written(),
        chain=await chain_of(request, one),
        event_path=_event_path(request, one),
        retryable=one.status in RETRYABLE,
        statuses=STATUSES,
        outcomes=STEPS,
        coming=began if began > one.attempt else 0,
        retried=bool(began) and began <= one.attempt,
        may_read=caller.may("crm:read"),
    )


def _began(request: web.Request) -> int:
    """Return the attempt that was just begun; 0 where there is none."""
    found = _RETRIED.fullmatch(request.query.get("did", ""))
    return int(found[1]) if found else 0


def _event_path(request: web.Request, one: ExecutionDetail) -> str | None:
    """Return where the event is shown with what every workflow made of it, for who may see events."""
    source = one.event.get("source")
    if not one.event_id or not isinstance(source, str) or not request[CALLER].may("crm:read"):
        return None
    return event_path(source, one.event_id, one.executed_at, one.entity)


async def retry(request: web.Request) -> web.Response:
    """Begin the next attempt, and show that it is on its way."""
    found = await request.app[STATE].runs.retries.retry(request[CALLER], path_id(request, "execution"))
    return see_other(f"{_ROOT}/{found.execution_id}?did=retried-{found.attempt}")


PAGES: Final = (
    page(_ONE, "executionPage", "An execution", show_execution),
    form(f"{_ONE}/retry", "retryForm", "Retry an execution", retry, conflicts=True),
)
