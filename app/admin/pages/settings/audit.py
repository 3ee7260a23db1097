"""``/settings/audit``: who changed what and when, in words, for administrators."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from app.admin.pages.declared import page
from app.admin.pages.lists import asked, link, next_page
from app.admin.pages.settings import audit_words
from app.admin.pages.settings.people import is_id, people
from app.admin.pages.settings.sections import ROOT, shown
from app.admin.queries import Cursor, Limit, Text
from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.errors import NotFoundError
from app.domain.paging import read_cursor
from app.ports.audit import AuditEntry, AuditFilter

_ALL: Final = f"{ROOT}/audit"
_SPANS: Final = {"24h": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
_LAST: Final = {"24h": "in the last 24 hours", "7d": "in the last 7 days", "30d": "in the last 30 days"}
_OF_WORKFLOWS: Final = "workflow"
_MOST_WORKFLOWS: Final = 100


class TrailQuery(BaseModel):
    """Which lines to show; days begin and end in UTC, and the last one is among them."""

    model_config = ConfigDict(extra="ignore")

    who: UUID | None = None
    kind: Text = None
    id: Text = None
    last: Literal["24h", "7d", "30d"] | None = None
    since: Annotated[date | None, Field(alias="from")] = None
    until: Annotated[date | None, Field(alias="to")] = None
    limit: Limit = 50
    cursor: Cursor = None

    def wanted(self, now: datetime) -> AuditFilter:
        """Return the filter."""
        since = now - _SPANS[self.last] if self.last else _midnight(self.since)
        until = _midnight(self.until + timedelta(days=1)) if self.until and self.until < date.max else None
        return AuditFilter(actor=self.who, kind=self.kind, object_id=self.id, since=since, until=until)


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None


async def show_audit(request: web.Request) -> web.Response:
    """List who changed what."""
    query, given, said = asked(request, TrailQuery, limit="50")
    state, caller = request.app[STATE], request[CALLER]
    found = await state.access.audit.find(
        caller, query.wanted(datetime.now(UTC)), read_cursor(query.cursor), query.limit
    )
    actors = {row.actor for row in found.items if row.actor} | {query.who} - {None}
    owners = {one for row in found.items for one in audit_words.named(row, "owners")}
    known = await people(request, actors | owners, everybody=True)
    keys = {str(key.id): f"API key {key.name}" for key in await state.access.api_keys.entries(caller)}
    names = {**known.names, **keys, **await _workflows(request, found.items)}
    return shown(
        request,
        "audit.html",
        rows=[_row(row, names) for row in found.items],
        names={**known.choices, **keys},
        kinds=audit_words.KINDS,
        given=given,
        wrong=said,
        words=_words(query, {**known.names, **keys}),
        whole=_ALL,
        first=link(_ALL, given) if query.cursor else None,
        next=next_page(request, _ALL, given, found.next_cursor),
    )


async def _workflows(request: web.Request, entries: Iterable[AuditEntry]) -> dict[str, str]:
    """Return the names of the workflows that a channel or a secret was for; of one that is gone, that it is."""
    wanted = {one for entry in entries for one in audit_words.named(entry, "workflows") if is_id(one)}
    names = {}
    for one in sorted(wanted)[:_MOST_WORKFLOWS]:
        try:
            names[one] = (await request.app[STATE].workflows.get(request[CALLER], UUID(one))).name
        except NotFoundError:
            names[one] = "one that is gone"
    return names


def _row(entry: AuditEntry, names: dict[str, str]) -> dict[str, object]:
    """Return a line as it is shown: it leads to the workflow that is there, or to all that was done to the thing."""
    is_there = entry.kind == _OF_WORKFLOWS and entry.action != "deleted"
    return {
        "at": entry.at,
        "who": audit_words.actor(entry, names),
        "done": audit_words.done(entry, names),
        "changes": audit_words.differences(entry, names),
        "href": f"/workflows/{entry.object_id}"
        if is_there
        else link(_ALL, {"kind": entry.kind, "id": entry.object_id}),
        "leads": "Open the workflow" if is_there else "All that was done to it",
    }


def _words(query: TrailQuery, names: dict[str, str]) -> list[str]:
    said = [
        f"by {names.get(str(query.who), query.who)}" if query.who else "",
        f"to a {audit_words.KINDS.get(query.kind, query.kind)}" if query.kind else "",
        f"of the id {query.id}" if query.id else "",
        _LAST[query.last] if query.last else "",
        f"from {query.since:%-d %b %Y}" if query.since and not query.last else "",
        f"up to {query.until:%-d %b %Y}" if query.until else "",
    ]
    return [one for one in said if one]


PAGES: Final = (page(_ALL, "auditPage", "Audit trail", show_audit, access="admin"),)
