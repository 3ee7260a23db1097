"""``/api/v1/search``: one box for workflows, templates and customers by name or id, executions and events by id.

Each kind is answered by the service behind its own list, so that nobody finds what they could not list, and from an
index or a table of a row a workflow: at most five of each. Customers are nobody's own: whoever may read the CRM finds
them, by the beginning of what they are called.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Annotated, Any, Final, Literal, TypeVar
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, Field

from app.admin.operations import Operation
from app.admin.queries import Query
from app.admin.requests import CALLER, answer, read_query
from app.admin.state import STATE, State
from app.domain.callers import Caller
from app.domain.errors import NotFoundError
from app.ports.executions import ExecutionFilter, ExecutionSummary
from app.ports.templates import TemplateFilter
from app.ports.workflows import WorkflowFilter

T = TypeVar("T")
_EACH: Final = 5
_SHOWN: Final = 200


class SearchQuery(Query):
    """What to look for."""

    q: Annotated[str, Field(min_length=1, max_length=256, description="A part of a name or description, or a whole id")]


class Hit(BaseModel):
    """Something that was found: what it is, its id, and what to show of it."""

    kind: Literal["workflow", "template", "execution", "event", "customer"]
    id: str
    title: str
    detail: str = ""


class SearchAnswer(BaseModel):
    """What was found, at most five of each kind: what has the id before what has the name."""

    items: list[Hit]


async def search(request: web.Request) -> web.Response:
    """Find things of the caller's."""
    words = read_query(request, SearchQuery).q
    return answer(SearchAnswer(items=await hits(request.app[STATE], request[CALLER], words)))


async def hits(state: State, caller: Caller, words: str) -> list[Hit]:
    """Return what has the words, or is called so."""
    return [
        *await _executions(state, caller, words),
        *await _customers(state, caller, words),
        *await _workflows(state, caller, words),
        *await _templates(state, caller, words),
    ]


async def _executions(state: State, caller: Caller, words: str) -> list[Hit]:
    """Return the execution of an id, and those of an event's: the event is one of them, told with the first."""
    found = [_hit(one) for one in await _of_id(partial(state.runs.executions.get, caller), words)]
    page = await state.runs.executions.find(caller, ExecutionFilter(event_id=words), None, _EACH)
    if page.items:
        found.append(Hit(kind="event", id=words, title=page.items[0].event_type or "", detail="what it led to"))
    return [*found, *map(_hit, page.items)]


def _hit(row: ExecutionSummary) -> Hit:
    return Hit(kind="execution", id=str(row.id), title=row.workflow_name, detail=row.status)


async def _customers(state: State, caller: Caller, words: str) -> list[Hit]:
    if not caller.may("crm:read") or not words.strip():
        return []
    async with state.systems.open(None) as repo:
        found = await repo.find_customers(words.strip(), _EACH)
    return [_customer(one) for one in found]


def _customer(profile: Mapping[str, Any]) -> Hit:
    one = str(profile["id"])
    title, detail = (str(profile.get(name) or "")[:_SHOWN] for name in ("name", "email"))
    return Hit(kind="customer", id=one, title=title or one, detail=detail)


async def _workflows(state: State, caller: Caller, words: str) -> list[Hit]:
    page = await state.workflows.find(caller, WorkflowFilter(search=words), None, _EACH)
    found = [*await _of_id(partial(state.workflows.get, caller), words), *page.items]
    return [Hit(kind="workflow", id=str(one.id), title=one.name, detail=one.trigger.type) for one in found[:_EACH]]


async def _templates(state: State, caller: Caller, words: str) -> list[Hit]:
    page = await state.templates.find(caller, TemplateFilter(search=words), None, _EACH)
    found = [*await _of_id(partial(state.templates.get, caller), words), *page.items]
    return [Hit(kind="template", id=str(one.id), title=one.name, detail=one.trigger.type) for one in found[:_EACH]]


async def _of_id(get: Callable[[UUID], Awaitable[T]], words: str) -> list[T]:
    """Return the one that has the id that was looked for, if it is one and there is one."""
    try:
        return [await get(UUID(words))]
    except (ValueError, NotFoundError):
        return []


OPERATIONS: Final = (
    Operation(
        "GET", "/api/v1/search", "search", "Find workflows, templates, customers by name or id, the rest by id",
        search, {200: SearchAnswer}, tag="search", query=SearchQuery,
    ),
)  # fmt: skip
