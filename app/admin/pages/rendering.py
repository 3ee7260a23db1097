"""Rendering: one Jinja environment over our own templates, which escapes whatever is put into them.

The texts that users write are data here, never templates: those are rendered behind a wall (``app.domain.templating``).
"""

from datetime import datetime
from functools import cache
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from app.actions.error_words import error_in_words, place_in_words
from app.admin.identity import BY_SESSION
from app.admin.pages import assets
from app.admin.pages.frame import rail
from app.admin.pages.json_text import json_text
from app.admin.pages.log_words import in_person_words
from app.admin.pages.triggers import event_in_words, trigger_in_words
from app.admin.pages.wording import ago, breakable, count_of, emphasized, exact, number, percent, seconds
from app.admin.requests import CALLER
from app.admin.segments import segment
from app.admin.state import STATE
from app.domain.sessions import csrf_token

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_FILTERS: Final = {
    "ago": ago, "exact": exact, "number": number, "percent": percent, "seconds": seconds, "count_of": count_of,
    "emphasized": emphasized, "event_in_words": event_in_words, "trigger_in_words": trigger_in_words,
    "json_text": json_text, "segment": segment, "breakable": breakable,
    "in_person_words": in_person_words,
    "error_in_words": lambda error, action_type: error_in_words(action_type, error), "place_in_words": place_in_words,
}  # fmt: skip


@cache
def environment() -> Environment:
    """Return the environment of all pages."""
    made = Environment(
        loader=PackageLoader("app.admin.pages", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    # JSON is shown, and given to scripts, in the order in which it was written: a form's fields are in it.
    made.policies["json.dumps_kwargs"] = {"sort_keys": False}
    made.filters.update(_FILTERS)
    made.globals["asset"] = assets.address
    made.globals["modules"] = assets.modules
    return made


def rendered(request: web.Request, template: str, *, status: int = 200, **shown: Any) -> web.Response:
    """Render a page with its frame.

    Args:
        request: Whose page it is.
        template: Its template, such as ``workflows/list.html``.
        status: 200, or the one of what went wrong.
        shown: What it shows.
    """
    text = environment().get_template(template).render(frame=_frame(request), **shown)
    return web.Response(text=text, status=status, content_type="text/html", headers={"Content-Security-Policy": POLICY})


def _frame(request: web.Request) -> dict[str, Any]:
    caller, found = request.get(CALLER), request.get(BY_SESSION)
    return {
        "rail": list(rail(caller, request.path, stand_ins=request.app[STATE].outside.sent is not None))
        if caller
        else [],
        "who": (found.signed_in.name or found.signed_in.email) if found else "",
        "csrf": csrf_token(found.token) if found else "",
        "is_admin": caller is not None and caller.role == "admin",
        "path": request.path,
        "here": request.path_qs,
        "now": datetime.now().astimezone(),
        "searched": request.query.get("q", "") if request.path == "/search" else "",
    }
