"""``/api/v1/executions/export``: the log as CSV or JSON lines, as long as it is, in bounded memory.

Page after page is read and written. Between two pages no database connection is held, so that a caller who does not
read holds none either; the connection's guard cuts such a one off. What ran after the export began is not in it, so
that it ends; one that breaks off is cut off, and never looks whole (``app.admin.broken_off``).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from app.admin.accepting import acceptable
from app.admin.api.executions import chosen
from app.admin.csv_rows import csv_lines
from app.admin.execution_models import ExecutionChoice
from app.admin.operations import Operation
from app.admin.requests import CALLER, read_query
from app.admin.state import STATE
from app.domain.paging import read_cursor
from app.ports.audit import Noted
from app.ports.executions import ExecutionSummary
from schemas.base import encode
from schemas.moments import Moment

_ROWS: Final = 500
_CSV: Final = "text/csv"
_JSONL: Final = "application/jsonl"
_KINDS: Final = {"csv": _CSV, "jsonl": _JSONL}
COLUMNS: Final = (
    *("id", "workflow_id", "workflow_name", "version", "attempt", "entity", "event_id", "event_type", "status"),
    *("conditions_met", "error", "executed_at", "duration_ms"),
)


class ExportQuery(ExecutionChoice):
    """Which executions to export, and how; ``to`` is now where it is later or left out."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    format: Annotated[
        Literal["csv", "jsonl"] | None, Field(description="Without it, what Accept likes better; CSV of equals")
    ] = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    sort: Literal["-executed_at", "executed_at"] = "-executed_at"


async def export_executions(request: web.Request) -> web.StreamResponse:
    """Write all executions that were asked for."""
    query = read_query(request, ExportQuery)
    state, caller, now = request.app[STATE], request[CALLER], datetime.now(UTC)
    until = now if query.until is None else min(query.until, now)
    wanted = replace(chosen(query), since=query.since, until=until, oldest_first=query.sort == "executed_at")
    form = _form(request, query.format)
    written = _csv if form == "csv" else _jsonl
    with state.live.streams.opened(caller.user_id, "export"):
        page = await state.runs.executions.find(caller, wanted, None, _ROWS)
        if request.method != "HEAD":
            await state.access.trail.note(caller, exported("executions", query, form))
        response = _response(form)
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        await response.write(csv_lines([COLUMNS]) if form == "csv" else b"")
        while True:
            await response.write(written(page.items))
            if page.next_cursor is None:
                await response.write_eof()
                return response
            page = await state.runs.executions.find(caller, wanted, read_cursor(page.next_cursor), _ROWS)


def _form(request: web.Request, asked: str | None) -> str:
    """Return the form that is asked for; what the query string asks for, Accept must take.

    Raises:
        NotAcceptableError: It does not.
    """
    kinds = [_KINDS[asked]] if asked else [_CSV, _JSONL]
    given = acceptable(request.headers.getall("Accept", ()), kinds)
    return next(form for form, kind in _KINDS.items() if kind == given)


def exported(kind: str, query: BaseModel, form: str) -> Noted:
    """Return what the audit trail says of an export: which filter, but not the words, which may be of the data."""
    said = query.model_dump(mode="json", exclude_none=True) | {"format": form}
    if "search" in said:
        said["search"] = "given"
    return Noted("exported", kind, str(said.get("workflow_id", "all")), said=said)


def _response(form: str) -> web.StreamResponse:
    named = f'attachment; filename="executions.{form}"'
    response = web.StreamResponse(headers={"Content-Disposition": named})
    response.content_type = _KINDS[form]
    response.charset = "utf-8"
    return response


def _csv(rows: Sequence[ExecutionSummary]) -> bytes:
    return csv_lines([getattr(row, name) for name in COLUMNS] for row in rows)


def _jsonl(rows: Sequence[ExecutionSummary]) -> bytes:
    return b"".join(encode(row) + b"\n" for row in rows)


OPERATIONS: Final = (
    Operation(
        "GET", "/api/v1/executions/export", "exportExecutions", "Export executions as CSV or JSON lines",
        export_executions, {200: None}, tag="executions", query=ExportQuery, content_type=_CSV,
        or_content_types=(_JSONL,), lasting=True, counted="exports",
    ),
)  # fmt: skip
