"""Who reads ``/metrics``: whoever gets there on loopback; elsewhere Prometheus by its token, and who may operate."""

from uuid import uuid4

import pytest
from aiohttp.test_utils import make_mocked_request
from pydantic import SecretStr

from app.admin.auth import Authenticator, ForbiddenError, UnauthorizedError, mint_token
from app.admin.identity import Identity
from app.admin.scraping import Scraping
from app.domain.callers import Permission, Role
from app.domain.errors import SettingsError
from app.services.access.rate_limit import RateLimiter
from app.settings import Settings, load_settings
from tests.admin.conftest import Api

TOKEN = "a-token-for-prometheus-of-32-chars-or-more"


class Door:
    """The door of an API that listens somewhere."""

    def __init__(self, settings: Settings, host: str, token: str = "") -> None:
        self.settings = settings.model_copy(update={"admin_host": host, "metrics_token": SecretStr(token)})
        identity = Identity(Authenticator(self.settings), RateLimiter(0, lambda: 0.0), self.settings)
        self._scraping = Scraping(self.settings, identity)

    async def opens(self, authorization: str | None) -> bool:
        """Tell whether a header gets in."""
        try:
            headers = {} if authorization is None else {"Authorization": authorization}
            await self._scraping.admit(make_mocked_request("GET", "/metrics", headers))
        except (ForbiddenError, UnauthorizedError):
            return False
        return True

    def bearer(self, role: Role, *permissions: Permission) -> str:
        """Return somebody's header."""
        return f"Bearer {mint_token(self.settings, uuid4(), role, 60, permissions)}"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])
async def test_on_loopback_nobody_needs_a_token(settings: Settings, host: str) -> None:
    """Unless one is set: a proxy may stand in front of it."""
    assert await Door(settings, host).opens(None)
    assert not await Door(settings, host, TOKEN).opens(None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "example.com", ""])  # noqa: S104 - nothing listens
async def test_elsewhere_it_needs_the_token_or_to_operate(settings: Settings, host: str) -> None:
    """A user without that permission learns nothing, nor does anybody without the whole token."""
    door = Door(settings, host, TOKEN)
    assert await door.opens(f"Bearer {TOKEN}")
    assert await door.opens(door.bearer("admin"))
    assert await door.opens(door.bearer("user", "operate"))
    for header in (None, "", "Bearer", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer \u00e4"):
        assert not await door.opens(header), header
    assert not await door.opens(door.bearer("user", "crm:read"))
    assert not await Door(settings, host).opens("Bearer ")


def test_a_short_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be guessed; the error names the variable and never holds its value."""
    monkeypatch.setenv("HEADRACE_METRICS_TOKEN", "prometheus")
    with pytest.raises(SettingsError, match="HEADRACE_METRICS_TOKEN") as refused:
        load_settings()
    assert "prometheus" not in str(refused.value)


async def test_metrics_hold_nothing_of_users(api: Api) -> None:
    """Whatever was done before: no id, no workflow's name, no address in any line."""
    workflow = await api.user().create(name="Zanzibar-Campaign")
    async with api.client.get("/metrics") as response:
        text = await response.text()
    for word in (workflow["id"], workflow["created_by"], "Zanzibar", "http://", "https://"):
        assert word not in text
