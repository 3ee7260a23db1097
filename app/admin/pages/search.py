"""``/search``: one box for workflows, templates and customers by name or id, executions and events by id."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from app.admin.api.search import Hit, hits
from app.admin.pages.customers.addresses import customer_path
from app.admin.pages.declared import page
from app.admin.pages.forms import see_other
from app.admin.pages.rendering import rendered
from app.admin.pages.statuses import STATUSES
from app.admin.pages.triggers import trigger_in_words
from app.admin.requests import CALLER
from app.admin.segments import segment
from app.admin.state import STATE
from app.domain.storable import is_storable

_MOST_CHARS: Final = 256
_PATHS: Final[Mapping[str, Callable[[str], str]]] = {
    "workflow": lambda one: f"/workflows/{one}",
    "template": lambda one: f"/templates/{one}",
    "execution": lambda one: f"/executions/{one}",
    "event": lambda one: f"/executions?{urlencode({'event_id': one})}",
    "customer": customer_path,
}


@dataclass(frozen=True, slots=True)
class Group:
    """What was found of one kind."""

    title: str
    icon: str
    hits: Sequence[tuple[str, Hit, str]]


_GROUPS: Final = (
    ("workflow", "Workflows", "workflow"),
    ("customer", "Customers", "customer"),
    ("execution", "Executions", "execution"),
    ("event", "Events", "event"),
    ("template", "Templates", "template"),
)


async def show_search(request: web.Request) -> web.Response:
    """Show what was found; where it is one thing, lead there."""
    words = request.query.get("q", "").strip()[:_MOST_CHARS]
    found = await hits(request.app[STATE], request[CALLER], words) if is_storable(words) and words else []
    if len(found) == 1:
        return see_other(_PATHS[found[0].kind](found[0].id))
    among = f"/events/{segment(words)}" if words and request[CALLER].may("crm:read") else ""
    return rendered(request, "search/page.html", words=words, groups=_groups(found), among_events=among)


def _groups(found: Sequence[Hit]) -> list[Group]:
    """Return what was found by kind, with where each is shown and what is said of it; what leads there once is one."""
    once = {(one.kind, one.id): one for one in found}.values()
    groups = (
        Group(title, icon, [(_PATHS[kind](one.id), one, _said(one)) for one in once if one.kind == kind])
        for kind, title, icon in _GROUPS
    )
    return [one for one in groups if one.hits]


def _said(one: Hit) -> str:
    """Say beside a name what a person knows it by."""
    if one.kind == "execution":
        return f"{STATUSES[one.detail].word}, {one.id}"
    if one.kind in {"workflow", "template"}:
        return trigger_in_words({"type": one.detail})
    return f"{one.id}, {one.detail}" if one.kind == "event" else ", ".join(filter(None, (one.detail, one.id)))


PAGES: Final = (page("/search", "searchPage", "Search", show_search),)
