"""Looking API keys up, on clocks of the test's own."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from app.domain.api_keys import digest_of, new_api_key
from app.domain.callers import Caller
from app.domain.errors import ConflictError, InvalidError, UnreachableError
from app.services.access.api_keys import ApiKeyService
from app.services.access.key_lookup import KeyLookup
from tests.support.fake_api_keys import MemoryApiKeys

ADMIN = Caller(uuid4(), "admin")


class World:
    """A store, the service over it, and a look-up whose clocks the test moves."""

    def __init__(self) -> None:
        self.store = MemoryApiKeys()
        self.service = ApiKeyService(self.store, most=10)
        self.seconds = 0.0
        self.lookup = KeyLookup(
            self.store, lambda: self.seconds, lambda: datetime.now(UTC) + timedelta(seconds=self.seconds)
        )

    async def key(self, *permissions: str, lives: timedelta | None = None) -> tuple[Caller, str]:
        """Make a key; returns the principal it is to be, and the key."""
        expires = None if lives is None else datetime.now(UTC) + lives
        made, text = await self.service.create(ADMIN, "shop", permissions or ("events:write",), expires)
        return Caller(made.id, "user", made.permissions, is_key=True), text


@pytest.fixture
def world() -> World:
    """Nothing is there yet."""
    return World()


def test_a_key_has_256_random_bits_and_only_its_digest_is_kept() -> None:
    """No two are the same; what does not look like one has no digest, so nothing is asked for it."""
    keys = {new_api_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(len(key.removeprefix("hrk_")) * 6 >= 256 for key in keys)
    assert all(len(digest_of(key) or b"") == 32 for key in keys)
    assert not any(map(digest_of, ("hrk_", "hrk_short", "x" + new_api_key(), new_api_key() + "x", "hrk_" + "Ä" * 43)))


async def test_a_key_is_a_principal_with_exactly_its_permissions(world: World) -> None:
    """Role user, the key's id; nothing of what every user may."""
    principal, text = await world.key("events:write")
    assert await world.lookup.caller(text) == principal
    assert not principal.may("crm:read")


async def test_good_calls_cost_no_query(world: World) -> None:
    """Within the few seconds that keys are believed, a thousand calls read them once and note one use."""
    principal, text = await world.key()
    for _ in range(1000):
        await world.lookup.caller(text)
    assert (world.store.reads, world.store.noted) == (1, [principal.user_id])


async def test_wrong_keys_cost_one_query_a_second_in_all(world: World) -> None:
    """However many are made up, at once or one after the other; what can be no key costs none."""
    for _ in range(3):
        assert not any(await asyncio.gather(*(world.lookup.caller(new_api_key()) for _ in range(200))))
        world.seconds += 1
    assert world.store.reads == 3
    assert await world.lookup.caller("hrk_nothing") is None
    assert world.store.reads == 3


async def test_a_key_that_is_revoked_is_refused_within_seconds(world: World) -> None:
    """Three of them, although it was known."""
    principal, text = await world.key()
    assert await world.lookup.caller(text) == principal
    await world.service.revoke(ADMIN, principal.user_id)
    world.seconds += 3
    assert await world.lookup.caller(text) is None


async def test_a_key_that_has_expired_is_refused_at_once(world: World) -> None:
    """Whatever was read a moment ago."""
    principal, text = await world.key(lives=timedelta(seconds=2))
    assert await world.lookup.caller(text) == principal
    world.seconds += 2.1
    assert await world.lookup.caller(text) is None


async def test_a_new_key_is_taken_within_a_second(world: World) -> None:
    """Although keys were read just before."""
    await world.lookup.caller(new_api_key())
    principal, text = await world.key()
    world.seconds += 1
    assert await world.lookup.caller(text) == principal


async def test_use_is_noted_once_a_minute(world: World) -> None:
    """Not by each call."""
    principal, text = await world.key()
    for _ in range(130):
        await world.lookup.caller(text)
        world.seconds += 1
    assert world.store.noted == [principal.user_id] * 3


async def test_while_postgres_is_away_that_is_said(world: World) -> None:
    """A key that cannot be looked up is not called wrong; one that holds is not refused for its use not being noted."""
    principal, text = await world.key()
    world.store.reachable = False
    with pytest.raises(UnreachableError):
        await world.lookup.caller(text)
    world.store.reachable = True
    assert await world.lookup.caller(text) == principal
    world.store.reachable = False
    world.seconds += 2.9
    assert await world.lookup.caller(text) == principal


@pytest.mark.parametrize(
    ("name", "permissions", "lives", "paths"),
    [
        ("", ["events:write"], 1, ["name"]),
        (" shop", ["events:write"], 1, ["name"]),
        ("a\nb", ["events:write"], 1, ["name"]),
        ("x" * 101, ["events:write"], 1, ["name"]),
        ("shop", [], 1, ["permissions"]),
        ("shop", ["events:write", "events:read", "templates:publish"], 1, ["permissions[1]", "permissions[2]"]),
        ("shop", ["events:write"], -1, ["expires_at"]),
    ],
)
async def test_what_a_key_is_made_of_is_checked(
    world: World, name: str, permissions: list[str], lives: int, paths: list[str]
) -> None:
    """The error names each field; nothing is stored."""
    with pytest.raises(InvalidError) as refused:
        await world.service.create(ADMIN, name, permissions, datetime.now(UTC) + timedelta(seconds=lives))
    assert [error.path for error in refused.value.errors] == paths
    assert await world.service.entries(ADMIN) == []


async def test_the_number_of_keys_is_bounded(world: World) -> None:
    """All of them are in each process's memory."""
    for _ in range(10):
        await world.key()
    with pytest.raises(ConflictError, match="10 API keys"):
        await world.key()
