"""What is done to workflows, one or many: switched on or off, deleted, brought back, exported, copied."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final, cast, get_args
from uuid import UUID

from aiohttp import web

from app.admin.bulk_models import MAX_IDS
from app.admin.pages.declared import form
from app.admin.pages.forms import FORM, one_of_each, see_other
from app.admin.pages.rendering import rendered
from app.admin.pages.workflows.addresses import MANY, ROOT, back, did, ids_in
from app.admin.pages.workflows.beginnings import does_nothing
from app.admin.pages.workflows.mending import NoStepsError, Refused, refused_of
from app.admin.requests import CALLER, path_id
from app.admin.state import STATE
from app.domain.errors import ConflictError, FieldError, InvalidError, NotFoundError
from app.services.operations.bulk import Doing, Done
from app.services.operations.cancelling import Waiting
from schemas.workflow import Workflow

_DOINGS: Final = get_args(Doing)
_TITLES: Final = {
    "activate": "Not switched on yet",
    "deactivate": "Not switched off yet",
    "delete": "Not deleted",
    "restore": "Not brought back",
}


async def do_to_many(request: web.Request) -> web.Response:
    """Do the same to each that was ticked, and say what became of it."""
    ids, said = _ids(request), one_of_each(request)
    doing = said.get("do", "")
    if not ids:
        return did(request, "none")
    if doing == "export":
        return see_other(f"/api/v1/workflows/export?ids={','.join(map(str, ids))}")
    if doing not in _DOINGS:
        raise InvalidError([FieldError("do", f"must be export, or one of {', '.join(_DOINGS)}")])
    there = await _there(request, ids)
    waiting = cast("Waiting", said["waiting"]) if said.get("waiting") in get_args(Waiting) else None
    done = await _done(request, ids, cast("Doing", doing), waiting, there)
    refused = [one for one in done if one.refused is not None]
    well = [one.id for one in done if one.refused is None]
    if not refused:
        return did(request, doing, well, [one for one in well if one in there and there[one].active])
    return _refusals(request, doing, refused, there, len(well))


def _ids(request: web.Request) -> list[UUID]:
    """Return the ids that were ticked.

    Raises:
        InvalidError: They are too many.
    """
    ids = ids_in(",".join(request[FORM].get("ids", [])))
    if len(ids) > MAX_IDS:
        raise InvalidError([FieldError("ids", f"are {len(ids)}; at most {MAX_IDS} can be chosen at once")])
    return list(dict.fromkeys(ids))


async def _there(request: web.Request, ids: Sequence[UUID]) -> Mapping[UUID, Workflow]:
    found = {}
    for one in ids:
        try:
            found[one] = await request.app[STATE].workflows.get(request[CALLER], one)
        except NotFoundError:
            continue
    return found


async def _done(
    request: web.Request, ids: Sequence[UUID], doing: Doing, waiting: Waiting | None, there: Mapping[UUID, Workflow]
) -> list[Done]:
    """Do it; of those that come back the ones are switched on that were on."""
    bulk, caller = request.app[STATE].editing.bulk, request[CALLER]
    empty = [one for one in ids if doing == "activate" and one in there and does_nothing(there[one])]
    done = await bulk.do(caller, [one for one in ids if one not in empty], doing, waiting)
    if doing == "restore":
        were_on = ids_in(one_of_each(request).get("on", ""))
        back_on = [one.id for one in done if one.refused is None and one.id in were_on]
        switched = {one.id: one for one in await bulk.do(caller, back_on, "activate", None)}
        done = [switched.get(one.id, one) for one in done]
    return [*done, *(Done(one, refused=NoStepsError()) for one in empty)]


def _refusals(
    request: web.Request, doing: str, done: Sequence[Done], there: Mapping[UUID, Workflow], well: int
) -> web.Response:
    """Say why it was not done to some, and what it takes; where executions wait, ask what becomes of them."""
    waiting = [one for one in done if doing == "deactivate" and isinstance(one.refused, ConflictError)]
    others = [refused_of(one, there.get(one.id), request[CALLER]) for one in done if one not in waiting]
    return rendered(
        request,
        "workflows/refused.html",
        status=HTTPStatus.CONFLICT,
        title=_TITLES[doing],
        doing=doing,
        refused=others,
        waiting=[Refused(one.id, there[one.id].name, ()) for one in waiting if one.id in there],
        well=well,
        back=back(request),
    )


async def copy(request: web.Request) -> web.Response:
    """Make a copy of one, switched off."""
    made = await request.app[STATE].workflows.duplicate(request[CALLER], path_id(request, "workflow"), None)
    return did(request, "made", [made.id])


PAGES: Final = (
    form(MANY, "manyWorkflowsForm", "Do the same to workflows", do_to_many, conflicts=True),
    form(f"{ROOT}/{{id}}/copy", "copyWorkflowForm", "Copy a workflow", copy, conflicts=True),
)
