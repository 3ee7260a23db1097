"""What is done to the executions that somebody has chosen in a list, and what became of it."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import UUID

from aiohttp import web

from app.admin.pages.forms import FORM, see_other
from app.admin.pages.lists import link
from app.admin.pages.rendering import rendered
from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.errors import FieldError, InvalidError, NotFoundError
from app.services.operations.many_executions import MOST, each

_FIELD: Final = "id"
_MOST_FILTERS: Final = 20


def ids_of(request: web.Request) -> list[UUID]:
    """Return the ids that a list's form was sent with.

    Raises:
        InvalidError: There is none, there are too many, or one is no id.
    """
    given = request[FORM].get(_FIELD, [])
    if not given:
        raise InvalidError([FieldError("", "Choose at least one execution: tick the box before it")])
    if len(given) > MOST:
        raise InvalidError([FieldError("", f"Choose at most {MOST} at a time")])
    try:
        return [UUID(one) for one in given]
    except ValueError:
        raise InvalidError([FieldError(_FIELD, "is no id of an execution")]) from None


def back_of(request: web.Request, path: str) -> str:
    """Return the list that the form stands in, with its filters: a path of ours, whatever is sent."""
    given = dict(parse_qsl(request[FORM].get("filters", [""])[-1], max_num_fields=_MOST_FILTERS))
    return link(path, {name: value for name, value in given.items() if name not in {"did", "count"}})


async def do_to_chosen(request: web.Request, path: str, did: str, do: Callable[[UUID], Awaitable[Any]]) -> web.Response:
    """Do it to each, and lead back to the list; where some were refused, show which, and why.

    Args:
        request: The form's.
        path: The list's.
        did: What was done, in a word that the list knows.
        do: What is done to one.
    """
    tried = await each(ids_of(request), do)
    refused = [one for one in tried if one.refused is not None]
    back = back_of(request, path)
    if not refused:
        return see_other(f"{back}{'&' if '?' in back else '?'}did={did}&count={len(tried)}")
    return rendered(
        request,
        "executions/refused.html",
        status=HTTPStatus.CONFLICT,
        did=did,
        done=len(tried) - len(refused),
        refused=[(one, await _called(request, one.id)) for one in refused],
        back=back,
    )


async def _called(request: web.Request, execution: UUID) -> str:
    """Return what people call an execution: its workflow and its customer; by its id where the log has none yet."""
    try:
        one = await request.app[STATE].runs.executions.get(request[CALLER], execution)
    except NotFoundError:
        return str(execution)
    return f"{one.workflow_name} for {one.entity}" if one.entity else one.workflow_name
