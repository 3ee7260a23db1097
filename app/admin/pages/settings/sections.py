"""The pages of the settings: which there are, who finds them, and how each is shown with the list of them beside."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from app.admin.pages.declared import page
from app.admin.pages.rendering import rendered
from app.admin.requests import CALLER
from app.domain.callers import Caller

ROOT: Final = "/settings"


@dataclass(frozen=True, slots=True)
class Section:
    """One of them; ``says`` is what one does there."""

    title: str
    path: str
    says: str
    for_admins: bool = False


SECTIONS: Final = (
    Section("Your profile", f"{ROOT}/profile", "What you may do here, and your password"),
    Section("Sessions", f"{ROOT}/sessions", "Where you are signed in; end what is not you"),
    Section("Message templates", f"{ROOT}/messages", "Texts with a name, which workflows send"),
    Section("Channels", f"{ROOT}/channels", "Where notifications go: Slack, Teams and others", for_admins=True),
    Section("Secrets", f"{ROOT}/secrets", "Passwords and tokens that actions use, and who may", for_admins=True),
    Section("Users", f"{ROOT}/users", "Who may sign in, and what they may do", for_admins=True),
    Section("API keys", f"{ROOT}/keys", "Keys of other programs, and what they may do", for_admins=True),
    Section("Demo data", "/demo", "Something to look around in: load it, and remove it", for_admins=True),
    Section("Audit trail", f"{ROOT}/audit", "Who changed what, and when", for_admins=True),
)


def sections(caller: Caller, path: str) -> Iterator[tuple[Section, bool]]:
    """Yield those that somebody finds, and which of them they are at."""
    for one in SECTIONS:
        if caller.role == "admin" or not one.for_admins:
            yield one, path == one.path or path.startswith(f"{one.path}/")


def shown(request: web.Request, template: str, *, status: int = 200, **more: Any) -> web.Response:
    """Render a page of the settings; ``more`` is what it shows, and ``did`` what was done before it."""
    beside = list(sections(request[CALLER], request.path))
    more.setdefault("did", "")
    return rendered(request, f"settings/{template}", status=status, beside=beside, **more)


async def show_settings(request: web.Request) -> web.Response:
    """Show which there are."""
    return shown(request, "all.html")


PAGES: Final = (page(ROOT, "settingsPage", "Settings", show_settings),)
