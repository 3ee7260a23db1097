"""``/previews/email``: an e-mail's HTML as it is being written, for the frame that shows it.

It is sent by POST with the session's token, so that no other site's page has anything shown here, and nothing is kept.
"""

from typing import Final

from aiohttp import web

from app.admin.operations import Operation
from app.admin.pages.declared import HTML
from app.admin.pages.forms import one_of_each
from app.admin.pages.sandboxed import sandboxed


async def show_email(request: web.Request) -> web.Response:
    """Show the HTML."""
    return sandboxed(one_of_each(request).get("html", ""))


PAGES: Final = (
    Operation(
        "POST", "/previews/email", "emailPreview", "Show an e-mail's HTML in a frame that may do nothing", show_email,
        {200: None}, tag="pages", content_type=HTML, counted="looks",
    ),
)  # fmt: skip
