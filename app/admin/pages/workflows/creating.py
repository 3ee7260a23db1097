"""``/workflows/new``: the ways to a new workflow, and the first of them, from scratch."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from app.admin.pages.declared import form, page
from app.admin.pages.forms import one_of_each, read_form, said_at, see_other
from app.admin.pages.rendering import rendered
from app.admin.pages.triggers import event_in_words
from app.admin.pages.workflows.addresses import NEW, editor
from app.admin.pages.workflows.beginnings import begin
from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.errors import InvalidError
from schemas.event_types import BUSINESS_EVENT_TYPES, TEMPORAL_EVENT_TYPES, is_known_type

_OWN: Final = "own"
_MOST_SEEN: Final = 50
_GROUPS: Final = {
    "Customers": ("customer", "tag"),
    "Orders": ("order",),
    "Conversations": ("conversation", "message"),
    "Appointments": ("appointment",),
    "Partners": ("commission",),
}


class BeginForm(BaseModel):
    """What a workflow is begun with; ``own`` is the name of an event that Headrace does not know."""

    model_config = ConfigDict(extra="ignore")

    name: str = ""
    type: str = ""
    own: str = ""
    zone: Annotated[str, Field(max_length=100)] = ""


async def show_new(request: web.Request) -> web.Response:
    """Show the ways; who comes with an event goes on with that."""
    source, event_id = (request.query.get(name) for name in ("event_source", "event_id"))
    if source and event_id:
        chosen = urlencode({"event_source": source, "event_id": event_id})
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": f"{NEW}/event?{chosen}"}, text="")
    return _shown(request, {"type": "order.paid"}, {})


def _shown(request: web.Request, said: Mapping[str, str], wrong: Mapping[str, str]) -> web.Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return rendered(
        request,
        "workflows/new.html",
        status=status,
        said=said,
        wrong=wrong,
        groups=_groups(request),
        own=_OWN,
        sees_events=request[CALLER].may("crm:read"),
    )


def _groups(request: web.Request) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what may start a workflow, by what it is about; other events are listed as they were seen lately."""
    known = [
        (title, [one for one in BUSINESS_EVENT_TYPES if one.partition(".")[0] in words])
        for title, words in _GROUPS.items()
    ]
    seen = sorted(one for one in request.app[STATE].event_types.latest().types if not is_known_type(one))
    groups = [*known, ("By the calendar", list(TEMPORAL_EVENT_TYPES)), ("Events of your own", seen[:_MOST_SEEN])]
    return [(title, [(one, event_in_words(one)) for one in types]) for title, types in groups if types]


async def begin_from_scratch(request: web.Request) -> web.Response:
    """Begin one, and go on in the editor."""
    said = one_of_each(request)
    wrong: dict[str, str] = {}
    try:
        read = read_form(request, BeginForm)
        event_type = read.own if read.type == _OWN else read.type
        made = await begin(request, read.name, event_type, [], read.zone)
    except InvalidError as error:
        wrong = _at_fields(said_at(error), own=said.get("type") == _OWN)
    return _shown(request, said, wrong) if wrong else see_other(editor(made.id))


def _at_fields(errors: Mapping[str, str], *, own: bool) -> dict[str, str]:
    """Return what is wrong by the form's fields, as a person says it."""
    at: dict[str, Any] = {}
    for path, message in errors.items():
        if path == "name":
            at["name"] = "A workflow needs a name, of at most 255 characters."
        elif path == "trigger.type" and own:
            at["own"] = "An event's name is words with dots between, such as shop.cart.abandoned."
        elif path == "trigger.type":
            at["type"] = "Choose what starts it."
        else:
            at[path] = message
    return at


PAGES: Final = (
    page(NEW, "newWorkflowPage", "A new workflow", show_new),
    form(NEW, "newWorkflowForm", "Begin a workflow", begin_from_scratch, conflicts=True),
)
