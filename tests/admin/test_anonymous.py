"""Tokens that do not hold: limited for each address, without holding back those whose tokens do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.domain.api_keys import new_api_key
from app.domain.errors import SettingsError
from app.settings import Settings, load_settings
from tests.admin.conftest import Answer, Api, User, serving

PATH = "/api/v1/action-types"


@asynccontextmanager
async def strict(settings: Settings, **changes: Any) -> AsyncIterator[Api]:
    """An API that takes three tokens a minute that do not hold."""
    few = settings.model_copy(update={"failed_tokens_per_minute": 3, "pool_size": 1, **changes})
    async with serving(few) as api:
        yield api


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    """Without a proxy in front."""
    async with strict(settings) as running:
        yield running


async def guess(api: Api, token: str | None = None, forwarded: str = "") -> Answer:
    """Ask with a token that does not hold."""
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return await User(api.client, token or "wrong").call("GET", PATH, headers=headers)


async def test_failed_tokens_of_an_address_are_limited(api: Api) -> None:
    """429 with Retry-After from the fourth on, keys and tokens alike; after that time they are 401 again."""
    tokens = ["wrong", "a.b.c", new_api_key(), new_api_key(), "wrong"]
    answers = [await guess(api, token) for token in tokens]
    assert [answer.status for answer in answers] == [401, 401, 401, 429, 429]
    assert answers[3].headers["Retry-After"] == "20"
    assert "tokens that do not hold" in answers[3].json["detail"]
    api.now[0] += 20
    assert (await guess(api)).status == 401


async def test_good_tokens_of_the_same_address_are_served(api: Api) -> None:
    """As behind one NAT: somebody's failures hold nobody back whose token holds, be it new or not."""
    old = api.user()
    await old.call("GET", PATH)
    for _ in range(10):
        await guess(api)
    assert [(await caller.call("GET", PATH)).status for caller in (old, api.user(), api.user("admin"))] == [200] * 3


async def test_asking_without_a_token_is_no_failed_one(api: Api) -> None:
    """Nothing was tried, so nothing is counted."""
    for _ in range(5):
        async with api.client.get(PATH) as response:
            assert response.status == 401
    assert (await guess(api)).status == 401


async def test_forwarded_addresses_are_not_believed_by_default(api: Api) -> None:
    """Whoever makes them up stays one address."""
    assert [(await guess(api, forwarded=f"10.0.0.{number}")).status for number in range(4)] == [401, 401, 401, 429]


async def test_behind_trusted_proxies_the_address_in_front_counts(settings: Settings) -> None:
    """From the end, as far as hops are trusted; what a client has written before that changes nothing."""
    async with strict(settings, trusted_proxies="127.0.0.0/8, 10.9.0.0/16") as api:
        for number in range(4):
            answer = await guess(api, forwarded=f"1.1.1.{number}, 203.0.113.7, 10.9.1.1")
        assert answer.status == 429
        assert (await guess(api, forwarded="203.0.113.8, 10.9.1.1")).status == 401
        assert (await guess(api, forwarded="203.0.113.7")).status == 429


async def test_one_network_of_ipv6_is_one_address(settings: Settings) -> None:
    """A host has 2**64 of them; a mapped IPv4 address is that."""
    async with strict(settings, trusted_proxies="127.0.0.1") as api:
        answers = [(await guess(api, forwarded=f"2001:db8:1:2::{number}")).status for number in range(1, 5)]
        assert answers == [401, 401, 401, 429]
        assert (await guess(api, forwarded="2001:db8:1:3::1")).status == 401
        for _ in range(3):
            await guess(api, forwarded="::ffff:192.0.2.1")
        assert (await guess(api, forwarded="192.0.2.1")).status == 429


async def test_a_forwarded_address_that_is_none_is_the_proxy_itself(settings: Settings) -> None:
    """It costs the one who writes it, and is no error."""
    async with strict(settings, trusted_proxies="127.0.0.1") as api:
        assert [(await guess(api, forwarded="unknown")).status for _ in range(4)] == [401, 401, 401, 429]


def test_trusted_proxies_that_are_no_networks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable."""
    monkeypatch.setenv("HEADRACE_TRUSTED_PROXIES", "the proxy")
    with pytest.raises(SettingsError, match="HEADRACE_TRUSTED_PROXIES"):
        load_settings()
