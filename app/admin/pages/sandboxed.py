"""HTML that others wrote, such as a mail, as an answer in which nothing can act: for an `iframe` with `sandbox`.

No script runs and no form is sent; nothing is loaded, and the page around it cannot be reached or led elsewhere. The
answer says so itself, so that nothing runs or is sent either where somebody opens its address alone.
"""

from typing import Final

from aiohttp import web

SANDBOX: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"
# A link is opened in a window of its own, which the sandbox does not allow: so a click does nothing. The first `base`
# counts; one that the text brings of its own can name no window that it could reach.
_LINKS: Final = '<base target="_blank">'


def sandboxed(html: str) -> web.Response:
    """Answer with a text in HTML as it is written, for the eyes alone."""
    return web.Response(
        text=html + _LINKS, content_type="text/html", charset="utf-8", headers={"Content-Security-Policy": SANDBOX}
    )
