"""Who is signed in to the pages, as a caller of the API: what a page shows is made by them before."""

from collections.abc import Callable
from typing import Any

from app.admin.auth import mint_token
from app.domain.callers import Permission, Role
from tests.admin.conftest import Api, User
from tests.support.chromium import Window
from tests.support.sessions import SignedIn


async def person(
    api: Api, somebody: Callable[..., Any], role: Role = "user", *permissions: Permission
) -> tuple[SignedIn, User]:
    """Return somebody new: their session, and how they call the API."""
    who: SignedIn = await somebody(role, *permissions)
    return who, User(api.client, mint_token(api.settings, who.id, role, 600, permissions), who.id)


def expect_status(window: Window, status: int) -> None:
    """Take note of one page that was to be refused: Chromium tells of its status in the console."""
    told = [one for one in window.wrong if f"status of {status} " in one]
    assert told, f"no page was answered with {status}"
    window.wrong.remove(told[0])
