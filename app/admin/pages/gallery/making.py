"""``/templates/new``: make a template from a workflow of one's own."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final
from uuid import UUID

from aiohttp import web

from app.admin.pages.forms import one_of_each, see_other
from app.admin.pages.gallery.listing import ROOT
from app.admin.pages.rendering import rendered
from app.admin.requests import CALLER, read_model
from app.admin.state import STATE
from app.domain.errors import FieldError, InvalidError, NotFoundError, NotPermittedError
from app.ports.workflows import WorkflowFilter
from schemas.template import TemplateMetadata

_LABELS: Final = {
    "workflow": "Workflow",
    "name": "Name",
    "description": "What it does",
    "category": "Category",
    "is_public": "Show it to everybody",
}
_MOST: Final = 200
_NO_CATEGORY: Final = "Small letters and digits, with hyphens between words, such as win-back"


async def show_new(request: web.Request) -> web.Response:
    """Show the form, for the workflow that is named."""
    given = {"workflow": request.query.get("workflow", "")}
    try:
        chosen = await request.app[STATE].workflows.get(request[CALLER], UUID(given["workflow"]))
        given |= {"name": chosen.name, "description": chosen.description}
    except (ValueError, NotFoundError):
        given["workflow"] = ""
    return await _form(request, given, ())


async def make(request: web.Request) -> web.Response:
    """Make it, and show how it reads."""
    given = one_of_each(request)
    try:
        workflow = UUID(given.get("workflow", ""))
    except ValueError:
        return await _form(request, given, [FieldError("workflow", "choose the workflow to make it of")])
    written = {name: given[name] for name in ("name", "description", "category") if given.get(name)}
    try:
        metadata = read_model({**written, "is_public": given.get("is_public") == "true"}, TemplateMetadata)
        template = await request.app[STATE].templates.create_from(request[CALLER], workflow, metadata)
    except (InvalidError, NotPermittedError) as error:
        return await _form(request, given, error.errors)
    return see_other(f"{ROOT}/{template.id}?did=made")


async def _form(request: web.Request, given: Mapping[str, str], errors: Sequence[FieldError]) -> web.Response:
    state, caller = request.app[STATE], request[CALLER]
    own = WorkflowFilter(owner=caller.user_id, sort="name")
    workflows = (await state.workflows.find(caller, own, None, _MOST)).items
    said = {one.path: _sentence(one) for one in errors}
    return rendered(
        request,
        "gallery/new.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        workflows=[(str(one.id), one.name) for one in workflows],
        given=given,
        said=said,
        summary=[
            (one.path if one.path in _LABELS else "", _LABELS.get(one.path, ""), _sentence(one)) for one in errors
        ],
        categories=[name for name, _ in await state.templates.categories(caller) if name],
        may_publish=caller.may("templates:publish"),
    )


def _sentence(error: FieldError) -> str:
    if error.path == "category":
        return _NO_CATEGORY
    said = error.message if error.path in _LABELS else f"{error.path}: {error.message}"
    return said[:1].upper() + said[1:]
