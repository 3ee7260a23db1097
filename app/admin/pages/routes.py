"""Every page there is, beside the API in one application."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from app.admin.middleware import guarded
from app.admin.operations import OPERATION, Operation
from app.admin.pages import (
    assets,
    demo,
    executions,
    gallery,
    outbox,
    overview,
    previews,
    queue,
    search,
    sign_in,
)
from app.admin.pages.customers import pages as customers
from app.admin.pages.editor import pages as editor
from app.admin.pages.events import pages as events
from app.admin.pages.forms import take_form
from app.admin.pages.settings import routes as settings
from app.admin.pages.showing_errors import shows_errors
from app.admin.pages.workflows import routes as workflows

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PAGES: Final[tuple[Operation, ...]] = (
    *overview.PAGES,
    *workflows.PAGES,
    *executions.PAGES,
    *editor.PAGES,
    *search.PAGES,
    *events.PAGES,
    *customers.PAGES,
    *outbox.PAGES,
    *settings.PAGES,
    *previews.PAGES,
    *gallery.PAGES,
    *queue.PAGES,
    *demo.PAGES,
    *sign_in.PAGES,
    Operation(
        "GET", assets.PATH, "asset", "A style or a script", assets.show_asset, {200: None},
        tag="pages", access="public", content_type="text/css",
    ),
)  # fmt: skip


_PATHS: Final = frozenset(one.path for one in PAGES)


@web.middleware
async def show_browsers(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Have a browser be answered with a page, also where it asks for what there is not, or a page does not take."""
    resource = request.match_info.route.resource
    missing = resource is None and not request.path.startswith("/api/")
    ours = resource is not None and resource.canonical in _PATHS
    if (missing or ours) and "text/html" in request.headers.get("Accept", ""):
        shows_errors(request)
    return await handler(request)


def as_page(one: Operation) -> _Handler:
    """Wrap a page's handler: what goes wrong is shown as a page, and a form is read before it is known who sends it."""
    admitted = guarded(one)

    async def handle(request: web.Request) -> web.StreamResponse:
        request[OPERATION] = one
        shows_errors(request)
        if one.method == "POST":
            await take_form(request)
        return await admitted(request)

    return handle
