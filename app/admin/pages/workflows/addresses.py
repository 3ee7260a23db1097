"""Where the pages of workflows are, and where a form leads back to once it was done."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from aiohttp import web

from app.admin.pages.forms import one_of_each, see_other
from app.domain.openid import is_path_here

ROOT: Final = "/workflows"
MANY: Final = f"{ROOT}/many"
NEW: Final = f"{ROOT}/new"
# What a list's address says of what was done last, beside its filters.
_SAID: Final = ("did", "ids", "on")


def editor(workflow_id: UUID) -> str:
    """Return where a workflow is edited."""
    return f"{ROOT}/{workflow_id}"


def list_of(request: web.Request) -> str:
    """Return the address of the list that is shown, without what was done last."""
    filters = [(name, value) for name, value in request.query.items() if name not in _SAID]
    return f"{ROOT}?{urlencode(filters)}" if filters else ROOT


def back(request: web.Request) -> str:
    """Return the address of the list that a form was sent from; the whole list's for any other place."""
    path = one_of_each(request).get("back", "")
    return path if is_path_here(path) and urlsplit(path).path == ROOT else ROOT


def did(request: web.Request, what: str, ids: Sequence[UUID] = (), were_on: Sequence[UUID] = ()) -> web.Response:
    """Lead back to the list, which then says what was done, and to which."""
    parts = urlsplit(back(request))
    said = {"did": what, "ids": ",".join(map(str, ids)), "on": ",".join(map(str, were_on))}
    query = [*parse_qsl(parts.query), *((name, value) for name, value in said.items() if value)]
    return see_other(f"{parts.path}?{urlencode(query)}")


def ids_in(text: str) -> list[UUID]:
    """Read ids with commas between; what is none is left out."""
    found: list[UUID] = []
    for one in filter(None, text.split(",")):
        try:
            found.append(UUID(one))
        except ValueError:
            continue
    return found
