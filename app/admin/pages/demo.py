"""``/demo``: demo data, which an administrator loads to look around, and removes again."""

from typing import Final

from aiohttp import web

from app.admin.demo.data import TRIGGERS, drafts
from app.admin.pages.declared import form, page
from app.admin.pages.forms import see_other
from app.admin.pages.rendering import rendered
from app.admin.pages.wording import count_of
from app.admin.requests import CALLER
from app.admin.state import STATE
from app.ports.workflows import WorkflowFilter
from schemas.workflow import Workflow

_ROOT: Final = "/demo"
_MOST: Final = 50


async def show_demo(request: web.Request) -> web.Response:
    """Say what is loaded, or what would be."""
    loaded = await request.app[STATE].demo.loaded()
    own = set(loaded.workflows) if loaded else set()
    return rendered(
        request,
        "demo/page.html",
        loaded=loaded,
        names=[one["name"] for one in drafts()],
        others=[one for one in await _started_by_it(request) if one.id not in own],
        done=_done(request.query.get("did", ""), request.query.get("stay", "")),
    )


async def load(request: web.Request) -> web.Response:
    """Load it."""
    await request.app[STATE].demo.load(request[CALLER])
    return see_other(f"{_ROOT}?did=loaded")


async def remove(request: web.Request) -> web.Response:
    """Remove it."""
    stay = await request.app[STATE].demo.remove(request[CALLER])
    return see_other(f"{_ROOT}?did=removed&stay={len(stay)}")


async def _started_by_it(request: web.Request) -> list[Workflow]:
    """Return workflows that are switched on, and that the demo data's events start."""
    service, caller = request.app[STATE].workflows, request[CALLER]
    wanted = (WorkflowFilter(active=True, trigger_type=one, sort="name") for one in TRIGGERS)
    return [found for one in wanted for found in (await service.find(caller, one, None, _MOST)).items]


def _done(did: str, stay: str) -> str:
    if did == "loaded":
        return "The demo data is loaded. Its executions appear within a few seconds."
    if did != "removed":
        return ""
    said = "The demo data is removed."
    if stay.isascii() and stay.isdigit() and int(stay):
        count = int(stay)
        said += f" {count_of(count, 'workflow')} that somebody has changed {'is' if count == 1 else 'are'} still there."
    return said


PAGES: Final = (
    page(_ROOT, "demoPage", "Demo data", show_demo, access="admin"),
    form(f"{_ROOT}/load", "loadDemoForm", "Load the demo data", load, access="admin", conflicts=True),
    form(f"{_ROOT}/remove", "removeDemoForm", "Remove the demo data", remove, access="admin"),
)
