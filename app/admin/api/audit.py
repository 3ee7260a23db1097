"""``/api/v1/audit``: who changed what; for administrators."""

from typing import Annotated, Final
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from app.admin.operations import Operation
from app.admin.queries import Cursor, Limit, Query, Text
from app.admin.requests import CALLER, answer, next_cursor, read_query
from app.admin.state import STATE
from app.domain.paging import read_cursor
from app.ports.audit import AuditEntry, AuditFilter
from schemas.moments import Moment


class AuditQuery(Query):
    """Which lines to list; ``from`` is inclusive, ``to`` exclusive, both ISO 8601 with an offset."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    who: Annotated[UUID | None, Field(description="Id of a user or an API key")] = None
    what: Annotated[Text, Field(description="Such as created, changed, deleted, activated, revoked, used")] = None
    kind: Annotated[Text, Field(description="Such as workflow, template, secret, api_key, channel")] = None
    id: Annotated[Text, Field(description="Id of the thing; a secret's is its name")] = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    limit: Limit = 50
    cursor: Cursor = None


class AuditPage(BaseModel):
    """Lines of the audit trail, newest first."""

    items: list[AuditEntry]
    next_cursor: str | None


async def list_audit(request: web.Request) -> web.Response:
    """List who changed what."""
    query = read_query(request, AuditQuery)
    wanted = AuditFilter(
        actor=query.who,
        action=query.what,
        kind=query.kind,
        object_id=query.id,
        since=query.since,
        until=query.until,
    )
    page = await request.app[STATE].access.audit.find(request[CALLER], wanted, read_cursor(query.cursor), query.limit)
    return answer(AuditPage(items=list(page.items), next_cursor=next_cursor(request, page.next_cursor)))


OPERATIONS: Final = (
    Operation(
        "GET", "/api/v1/audit", "listAudit", "List who changed what and when, newest first", list_audit,
        {200: AuditPage}, tag="audit", access="admin", query=AuditQuery,
    ),
)  # fmt: skip
