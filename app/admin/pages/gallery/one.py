"""``/templates/{id}``: a template as it reads; a workflow is made of it here, and its owner deletes it."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from app.admin.pages.forms import one_of_each, said_at, see_other
from app.admin.pages.gallery.fields import entered, fields_of, summary
from app.admin.pages.gallery.listing import ROOT, category_name
from app.admin.pages.gallery.shown import marked, reading_of, whose
from app.admin.pages.rendering import rendered
from app.admin.requests import CALLER, path_id
from app.admin.state import STATE
from app.domain.errors import FieldError, InvalidError, NotFoundError
from app.services.workflows.placeholders.declarations import declared
from app.services.workflows.starter_templates import is_built_in
from schemas.template import Template

_WHAT: Final = "template"
_DONE: Final = {"made": "The template is there. Look at how it reads, and try it."}


async def show_template(request: web.Request) -> web.Response:
    """Show one, with the form that makes a workflow of it."""
    template = await _found(request)
    return _page(request, template, {}, (), done=_DONE.get(request.query.get("did", ""), ""))


async def apply(request: web.Request) -> web.Response:
    """Make a workflow of it, and lead there."""
    template, given = await _found(request), one_of_each(request)
    customizations: dict[str, Any] = {"placeholders": entered(declared(template.placeholders), given)}
    if name := given.get("name", "").strip():
        customizations["name"] = name
    try:
        made = await request.app[STATE].templates.apply(request[CALLER], template.id, customizations)
    except InvalidError as error:
        return _page(request, template, given, error.errors)
    return see_other(f"/workflows/{made.id}")


async def ask_deletion(request: web.Request) -> web.Response:
    """Ask whether it is to be deleted, where no script can take it back."""
    return rendered(request, "gallery/delete.html", shown=await _to_delete(request))


async def delete(request: web.Request) -> web.Response:
    """Delete it."""
    template = await _to_delete(request)
    await request.app[STATE].templates.delete(request[CALLER], template.id, None)
    return see_other(f"{ROOT}?did=deleted")


async def _found(request: web.Request) -> Template:
    return await request.app[STATE].templates.get(request[CALLER], path_id(request, _WHAT))


async def _to_delete(request: web.Request) -> Template:
    template = await _found(request)
    if not _may_delete(request, template):
        raise NotFoundError("There is no such template that you may delete")
    return template


def _may_delete(request: web.Request, template: Template) -> bool:
    """Tell whether it may go: a built-in one may not, as it would be back with the next ``headrace templates``."""
    caller = request[CALLER]
    return not is_built_in(template.id) and (caller.role == "admin" or template.created_by == caller.user_id)


def _page(
    request: web.Request,
    template: Template,
    given: Mapping[str, str],
    errors: Sequence[FieldError],
    *,
    done: str = "",
) -> web.Response:
    asked, said = declared(template.placeholders), said_at(InvalidError([*errors]))
    told = summary(errors, asked)
    return rendered(
        request,
        "gallery/one.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        shown=template,
        category=category_name(template.category),
        whose=whose(template, request[CALLER]),
        may_delete=_may_delete(request, template),
        reading=reading_of(template),
        marked=marked,
        name=given.get("name", template.name),
        fields=fields_of(asked, given, said),
        name_said=next((words for at, _, words in told if at == "name"), ""),
        summary=told,
        done=done,
    )
