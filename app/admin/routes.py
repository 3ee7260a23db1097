"""Every operation there is, and the aiohttp application over them."""

from functools import cache
from importlib.metadata import version
from typing import Any, Final

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict

from app.admin.api import (
    api_keys,
    audit,
    channels,
    crm,
    dead_letters,
    drafts,
    events,
    executions,
    exports,
    health,
    many_workflows,
    message_templates,
    notifications,
    openid,
    queue,
    runs,
    search,
    secrets,
    session,
    streams,
    templates,
    trade,
    types,
    users,
    workflows,
)
from app.admin.docs_page.page import POLICY, docs_page
from app.admin.methods import add_routes
from app.admin.middleware import harden, observe
from app.admin.openapi import openapi
from app.admin.operations import Operation
from app.admin.pages.routes import PAGES, as_page, show_browsers
from app.admin.state import STATE, State


class OpenApiDocument(BaseModel):
    """An OpenAPI 3.1 document."""

    model_config = ConfigDict(extra="allow")

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]


async def show_openapi(_request: web.Request) -> web.Response:
    """Show the document that describes all of this."""
    return web.Response(body=_document(), content_type="application/json")


async def show_docs(_request: web.Request) -> web.Response:
    """Show that document as a page."""
    return web.Response(text=_page(), content_type="text/html", headers={"Content-Security-Policy": POLICY})


@cache
def _document() -> bytes:
    return orjson.dumps(openapi(OPERATIONS, version("headrace")))


@cache
def _page() -> str:
    return docs_page(orjson.loads(_document()))


OPERATIONS: Final[tuple[Operation, ...]] = (
    *workflows.OPERATIONS,
    *drafts.OPERATIONS,
    *many_workflows.OPERATIONS,
    *runs.OPERATIONS,
    *templates.OPERATIONS,
    *message_templates.OPERATIONS,
    *channels.OPERATIONS,
    *notifications.OPERATIONS,
    *events.OPERATIONS,
    *exports.OPERATIONS,
    *search.OPERATIONS,
    *streams.OPERATIONS,  # before what takes any id
    *executions.OPERATIONS,
    *dead_letters.OPERATIONS,
    *queue.OPERATIONS,
    *crm.OPERATIONS,
    *trade.OPERATIONS,
    *secrets.OPERATIONS,
    *api_keys.OPERATIONS,
    *audit.OPERATIONS,
    *session.OPERATIONS,
    *openid.OPERATIONS,
    *users.OPERATIONS,
    *types.OPERATIONS,
    *health.OPERATIONS,
    Operation(
        "GET",
        "/openapi.json",
        "openapi",
        "This document",
        show_openapi,
        {200: OpenApiDocument},
        tag="service",
        access="public",
    ),
    Operation(
        "GET",
        "/docs",
        "docs",
        "This document as a page",
        show_docs,
        {200: None},
        tag="service",
        access="public",
        content_type="text/html",
    ),
)


def build_app(state: State) -> web.Application:
    """Return the application over some services; it starts and stops nothing of them."""
    app = web.Application(middlewares=[observe, show_browsers], handler_args={"auto_decompress": False})
    app[STATE] = state
    app.on_response_prepare.append(harden)
    add_routes(app.router, OPERATIONS)
    add_routes(app.router, PAGES, as_page)
    app.on_shutdown.append(_end_what_goes_on)
    return app


async def _end_what_goes_on(app: web.Application) -> None:
    app[STATE].live.queue.close()
    app[STATE].live.following.close()
    await app[STATE].event_types.close()
