"""The pages in Chromium, over the API of the tests around: a real Postgres, real HTTP, and Kafka in memory."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser

from app.admin.routes import build_app
from app.admin.state import STATE
from app.domain.callers import Permission, Role
from app.settings import Settings
from tests.admin.conftest import Api, User
from tests.admin.log import Log
from tests.admin.pages.attacked import Attacked, AttackedOutbox, attacked
from tests.support.chromium import Window, chromium, window
from tests.support.sessions import SignedIn, signed_in

Visit = Callable[..., AbstractAsyncContextManager[Window]]
Somebody = Callable[..., Awaitable[SignedIn]]
LOOKS: tuple[dict[str, bool], ...] = ({}, {"dark": True}, {"phone": True})
# In the dark and on a phone by `make looks`: what those can change is colour and place.
EACH_LOOK = [pytest.param(look, id=str(look), marks=[pytest.mark.long] if look else []) for look in LOOKS]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    async with chromium() as running:
        yield running


@pytest.fixture
def visit(browser: Browser, api: Api) -> Visit:
    """Return what opens a window: of somebody who is signed in, or of a stranger; the looks are ``window``'s."""

    @asynccontextmanager
    async def open_window(who: SignedIn | None = None, **look: Any) -> AsyncIterator[Window]:
        async with window(browser, api.url, session=who.token if who else "", **look) as opened:
            yield opened

    return open_window


@pytest.fixture
def somebody(api_database: str, settings: Settings) -> Somebody:
    """Return what signs somebody new in, by role, and permissions beside what every user may."""

    async def sign_in(role: Role = "user", *permissions: Permission) -> SignedIn:
        return await signed_in(api_database, settings, role, *permissions)

    return sign_in


@pytest.fixture
async def with_outbox(api: Api) -> AsyncIterator[str]:
    """The address of the same pages where what went out is kept too."""
    state = api.app[STATE]
    outside = replace(state.outside, sent=AttackedOutbox())
    async with TestServer(build_app(replace(state, outside=outside))) as server:
        yield str(server.make_url("/")).rstrip("/")


@pytest.fixture
async def there(api: Api, admin: User, who: SignedIn, log: Log) -> Attacked:
    """An installation full of attacks."""
    return await attacked(api, admin, who, log)


@pytest.fixture
async def who(somebody: Somebody) -> SignedIn:
    """An administrator who is signed in."""
    return await somebody("admin")
