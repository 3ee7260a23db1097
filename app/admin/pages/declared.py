"""Pages and forms, declared once: routes and access checks come from here."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from app.admin.operations import Handler, Operation

HTML: Final = "text/html"
_TAG: Final = "pages"


class Address(BaseModel):
    """What a page's address may hold beside its path: anything, so that an old or a shared one still leads there."""

    model_config = ConfigDict(extra="ignore")


def page(path: str, name: str, summary: str, handler: Handler, **more: Any) -> Operation:
    """Declare a page: what is seen at a path. ``more`` is an operation's: access, permission."""
    return Operation(
        "GET", path, name, summary, handler, {200: None}, tag=_TAG, content_type=HTML, query=Address, **more
    )


def form(path: str, name: str, summary: str, handler: Handler, **more: Any) -> Operation:
    """Declare what a page's form does: it is sent by POST, and leads to a page (303) or shows itself again (422)."""
    return Operation("POST", path, name, summary, handler, {303: None}, tag=_TAG, content_type=HTML, **more)
