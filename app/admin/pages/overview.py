"""``/``: whether everything flows, and what happened in the last 24 hours."""

from typing import Final

from aiohttp import web

from app.admin.pages.declared import page
from app.admin.pages.rendering import rendered


async def show_overview(request: web.Request) -> web.Response:
    """Show the first page."""
    return rendered(request, "overview/page.html")


PAGES: Final = (page("/", "overviewPage", "Overview", show_overview),)
