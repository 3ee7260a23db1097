"""``/workflows/{id}/history``: who changed what and when, any two versions beside each other, and the way back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from aiohttp import web
from pydantic import Field

from app.admin.draft_models import RevisionQuery, Side
from app.admin.pages.declared import form, page
from app.admin.pages.forms import one_of_each, see_other
from app.admin.pages.lists import asked, link
from app.admin.pages.rendering import rendered
from app.admin.pages.workflows.addresses import ROOT
from app.admin.pages.workflows.people import people
from app.admin.requests import CALLER, path_id
from app.admin.state import STATE
from app.domain.callers import Caller
from app.domain.errors import ConflictError, NotFoundError, StaleVersionError
from app.domain.written_workflow import written_of
from app.services.access.cpu_budget import breathe
from app.services.workflows.comparing import DRAFT, Difference, told
from app.services.workflows.draft_rows import NONE_READ
from schemas.workflow import Workflow

_ONE: Final = f"{ROOT}/{{id}}/history"
_ROWS: Final = 20
_MOST_VERSIONS: Final = 2**31 - 1
_MADE: Final = "It was made."
_NOTHING: Final = "Nothing of what is written."
_UNREADABLE: Final = "It cannot be read in full as it is stored: {}"
_AFTER_UNREADABLE: Final = "What it changed is not known, as the version before cannot be read in full"


class HistoryQuery(RevisionQuery):
    """Which versions to list, and which two are compared; ``did`` is what was done last."""

    one: Annotated[Side | None, Field(alias="from")] = None
    other: Annotated[Side | None, Field(alias="to")] = None


@dataclass(frozen=True, slots=True)
class Version:
    """A version as the history shows it: ``changes`` are sentences."""

    number: int
    at: datetime
    by: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """Two states of a workflow beside each other: what differs, in words, and place by place."""

    before: str
    after: str
    words: Sequence[str]
    places: Sequence[tuple[str, str, str]]


async def show_history(request: web.Request) -> web.Response:
    """Show a workflow's versions, a deleted one's too."""
    workflow_id = path_id(request, "workflow")
    query, given, wrong = asked(request, HistoryQuery, limit=str(_ROWS))
    live = await _live(request, workflow_id)
    rows = await request.app[STATE].workflows.revisions(request[CALLER], workflow_id, query.before, _ROWS + 1)
    names = await people(request, [*(row["written_by"] for row in rows), *_saver(live)])
    path = f"{ROOT}/{workflow_id}/history"
    rest = {name: value for name, value in given.items() if name in {"from", "to"}}
    return rendered(
        request,
        "workflows/history.html",
        live=live,
        name=live.name if live else rows[0]["name"] if rows else "",
        workflow_id=workflow_id,
        versions=await _versions(rows[:_ROWS], rows[1:], names),
        saved_by=names.get(live.draft.saved_by, "") if live and live.draft else "",
        compared=await _compared(request, workflow_id, query),
        query=query,
        wrong=wrong,
        restored=request.query.get("did") == "restored" and live is not None and live.draft is not None,
        first=link(path, rest) if query.before else None,
        next=link(path, rest, before=str(rows[_ROWS - 1]["version"])) if len(rows) > _ROWS else None,
    )


async def _live(request: web.Request, workflow_id: UUID) -> Workflow | None:
    try:
        return await request.app[STATE].workflows.get(request[CALLER], workflow_id)
    except NotFoundError:
        return None


def _saver(live: Workflow | None) -> list[UUID]:
    return [live.draft.saved_by] if live and live.draft else []


async def _versions(
    rows: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]], names: Mapping[UUID, str]
) -> list[Version]:
    """Say what each version changed of the one before it, which is the next one of the list."""
    versions = []
    for number, row in enumerate(rows):
        await breathe()
        older = before[number] if number < len(before) else None
        at = row["updated_at"]
        at = datetime.fromisoformat(at) if isinstance(at, str) else at
        versions.append(Version(row["version"], at, names[row["written_by"]], tuple(_changes(older, row))))
    return versions


def _changes(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[str]:
    for row, text in ((after, _UNREADABLE), (before or {}, _AFTER_UNREADABLE)):
        if row.get("unreadable"):
            return [text.format("; ".join(f"{one.path} {one.message}" for one in row["unreadable"]))]
    if before is None:
        return [_MADE] if after["version"] == 1 else []
    changes = list(told(written_of(before), written_of(after)).words)
    if before.get("active") != after.get("active") and not after.get("deleted"):
        changes.append("Switched on" if after.get("active") else "Switched off")
    if bool(before.get("deleted")) != bool(after.get("deleted")):
        changes.append("Deleted" if after.get("deleted") else "Brought back")
    return changes or [_NOTHING]


async def _compared(request: web.Request, workflow_id: UUID, query: HistoryQuery) -> Compared | None:
    """Compare the two that were chosen, the older one first; None where they were not, or one is not there."""
    if not query.one or not query.other:
        return None
    before, after = sorted((query.one, query.other), key=_age)
    comparing = request.app[STATE].editing.comparing
    try:
        found = await comparing.compare(request[CALLER], workflow_id, before, after)
    except (NotFoundError, ConflictError):
        return None
    return Compared(_side(before), _side(after), found.words, _places(found))


def _age(side: str) -> int:
    return int(side) if side.isdecimal() else _MOST_VERSIONS + (side == DRAFT)


def _side(side: str) -> str:
    return f"version {side}" if side.isdecimal() else "what is live" if side != DRAFT else "the draft"


def _places(found: Difference) -> list[tuple[str, str, str]]:
    def shown(value: Any) -> str:
        return "" if value is None else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()

    return [(one.place, shown(one.before), shown(one.after)) for one in found.changes]


async def restore(request: web.Request) -> web.Response:
    """Make a draft of an earlier version; where there is a draft already, ask first."""
    workflow_id, said = path_id(request, "workflow"), one_of_each(request)
    version, over = _number(said.get("version", "")), said.get("over", "")
    drafts, caller = request.app[STATE].editing.drafts, request[CALLER]
    try:
        await drafts.revert(caller, workflow_id, version, frozenset({_number(over) if over else NONE_READ}))
    except StaleVersionError:
        return await _asks(request, caller, workflow_id, version)
    return see_other(f"{ROOT}/{workflow_id}/history?did=restored")


async def _asks(request: web.Request, caller: Caller, workflow_id: UUID, version: int) -> web.Response:
    live = await request.app[STATE].workflows.get(caller, workflow_id)
    names = await people(request, _saver(live))
    return rendered(
        request,
        "workflows/over.html",
        status=HTTPStatus.CONFLICT,
        live=live,
        saved_by=names.get(live.draft.saved_by, "") if live.draft else "",
        version=version,
    )


def _number(text: str) -> int:
    """Read a version's number.

    Raises:
        NotFoundError: It is none, so nothing can have it.
    """
    if not text.isdecimal() or not text.isascii() or int(text[:11]) > _MOST_VERSIONS:
        raise NotFoundError("There is no such version")
    return int(text)


PAGES: Final = (
    page(_ONE, "historyPage", "A workflow's history", show_history),
    form(f"{_ONE}/restore", "restoreVersionForm", "Make a draft of a version", restore, conflicts=True),
)
