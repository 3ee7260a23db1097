"""``/api/v1/dead-letters``: records that could not be processed; for callers who may operate."""

from typing import Final

from aiohttp import web

from app.admin.models import DeadLetterPage, DeadLetterQuery
from app.admin.operations import Operation
from app.admin.requests import CALLER, answer, path_number, read_query
from app.admin.state import STATE
from app.ports.dead_letter_box import DeadLetterFilter
from app.services.operations.dead_letter_box import DeadLetterBox, DeadLetterDetail

_ROOT: Final = "/api/v1/dead-letters"
_ONE: Final = f"{_ROOT}/{{number}}"
_WHAT: Final = "dead letter"


def chosen(query: DeadLetterQuery) -> DeadLetterFilter:
    """Return the filter that a query asks for."""
    return DeadLetterFilter(
        state=query.state,
        topic=query.topic,
        reason=query.reason,
        role=query.role,
        event_id=query.event_id,
        source=query.source,
        entity=query.entity,
        since=query.since,
        until=query.until,
    )


async def list_dead_letters(request: web.Request) -> web.Response:
    """List dead letters, newest first, without their bytes."""
    query = read_query(request, DeadLetterQuery)
    rows = await _box(request).find(chosen(query), query.before, query.limit)
    return answer(DeadLetterPage(items=list(rows)))


async def get_dead_letter(request: web.Request) -> web.Response:
    """Show one with its bytes."""
    return answer(await _box(request).get(path_number(request, _WHAT)))


async def replay_dead_letter(request: web.Request) -> web.Response:
    """Send one back to where it came from."""
    return answer(await _box(request).replay(request[CALLER], path_number(request, _WHAT)), 202)


async def discard_dead_letter(request: web.Request) -> web.Response:
    """Be done with one."""
    await _box(request).discard(request[CALLER], path_number(request, _WHAT))
    return web.Response(status=204)


def _box(request: web.Request) -> DeadLetterBox:
    return request.app[STATE].dead_letters


OPERATIONS: Final = (
    Operation(
        "GET", _ROOT, "listDeadLetters", "List records that could not be processed, newest first", list_dead_letters,
        {200: DeadLetterPage}, tag="dead-letters", permission="operate", query=DeadLetterQuery,
    ),
    Operation(
        "GET", _ONE, "getDeadLetter", "Show a dead letter with its bytes", get_dead_letter, {200: DeadLetterDetail},
        tag="dead-letters",
        permission="operate",
    ),
    Operation(
        "POST", f"{_ONE}/replay", "replayDeadLetter", "Send a dead letter back to its topic", replay_dead_letter,
        {202: DeadLetterDetail}, tag="dead-letters", permission="operate", conflicts=True,
    ),
    Operation(
        "DELETE", _ONE, "discardDeadLetter", "Be done with a dead letter", discard_dead_letter, {204: None},
        tag="dead-letters",
        permission="operate", conflicts=True,
    ),
)  # fmt: skip
