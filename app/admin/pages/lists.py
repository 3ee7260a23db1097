"""What every list has: filters in the address, so that it can be sent to a colleague, and a link to the next rows."""

from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel

from app.admin.requests import next_cursor, read_values
from app.domain.errors import InvalidError

M = TypeVar("M", bound=BaseModel)


def asked(request: web.Request, model: type[M], **fixed: str) -> tuple[M, dict[str, str], dict[str, str]]:
    """Read what a list is filtered by; what is wrong is left out, and said.

    A form sends its empty fields too, and a link may be of an older version: neither keeps the list from being shown.

    Args:
        request: The request.
        model: The query of the API's list.
        fixed: What the page itself asks for, such as the limit.

    Returns:
        The query, the filters that hold by name, and what is wrong with others by name. Which page it is, is no filter:
        the cursor is in the query alone.
    """
    known = {field.alias or name for name, field in model.model_fields.items()} - fixed.keys()
    several = {name: request.query.getall(name) for name in request.query if name in known}
    given = {name: ",".join(filter(None, values)) for name, values in several.items() if any(values)}
    wrong: dict[str, str] = {}
    try:
        return read_values(request, {**given, **fixed}, model), _filters(given), wrong
    except InvalidError as error:
        wrong = {one.path.partition("[")[0]: one.message for one in error.errors}
    kept = {name: value for name, value in given.items() if name not in wrong and "" not in wrong}
    return read_values(request, {**kept, **fixed}, model), _filters(kept), wrong


def _filters(given: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in given.items() if name != "cursor"}


def link(path: str, filters: Mapping[str, str], **changes: str | None) -> str:
    """Return a list's address with some filters changed; None takes one away."""
    wanted = {name: value for name, value in {**filters, **changes}.items() if value is not None}
    return f"{path}?{urlencode(wanted)}" if wanted else path


def next_page(request: web.Request, path: str, filters: Mapping[str, str], position: str | None) -> str | None:
    """Return the address of a list's next rows, if there are any."""
    return None if position is None else link(path, filters, cursor=next_cursor(request, position))
