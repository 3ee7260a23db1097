"""The contract of ``ApiKeyStore`` and ``KnownKeys``, on the fake and on Postgres."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.api_keys import PostgresApiKeys
from app.domain.callers import Caller
from app.domain.errors import ConflictError, NotPermittedError
from app.ports import ApiKey
from app.settings import Settings
from tests.support.fake_api_keys import MemoryApiKeys

ADMIN = Caller(uuid4(), "admin")
AnyKeys = MemoryApiKeys | PostgresApiKeys


@pytest.fixture
async def api(database: str) -> AsyncIterator[ApiDatabase]:
    """The API's pool on a database of the test's own."""
    api = ApiDatabase(Settings(database_url=SecretStr(database)))
    yield api
    await api.close()


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def keys(request: pytest.FixtureRequest) -> AnyKeys:
    """One store after the other."""
    return MemoryApiKeys() if request.param == "memory" else PostgresApiKeys(request.getfixturevalue("api"))


def made(name: str = "shop", lives: timedelta | None = None) -> ApiKey:
    """A key that lives for some time."""
    now = datetime.now(UTC)
    expires = None if lives is None else now + lives
    return ApiKey(uuid4(), name, frozenset({"events:write", "crm:read"}), ADMIN.user_id, now, expires)


async def test_a_key_in_use_is_found_by_its_digest(keys: AnyKeys) -> None:
    """With all that was said of it."""
    key = made()
    assert await keys.add(ADMIN, key, b"d" * 32, 5)
    assert await keys.in_use() == {b"d" * 32: key}
    assert await keys.entries(ADMIN) == [key]


async def test_what_is_revoked_or_expired_is_not_in_use(keys: AnyKeys) -> None:
    """It stays in the list; it is revoked once."""
    revoked, expired = made("revoked"), made("expired", timedelta(seconds=-1))
    await keys.add(ADMIN, revoked, b"a" * 32, 5)
    await keys.add(ADMIN, expired, b"b" * 32, 5)
    assert await keys.revoke(ADMIN, revoked.id)
    assert not await keys.revoke(ADMIN, revoked.id)
    assert not await keys.revoke(ADMIN, uuid4())
    assert await keys.in_use() == {}
    assert [(key.name, key.revoked_at is not None) for key in await keys.entries(ADMIN)] == [
        ("expired", False),
        ("revoked", True),
    ]


async def test_use_is_noted(keys: AnyKeys) -> None:
    """To the moment."""
    key = made()
    await keys.add(ADMIN, key, b"d" * 32, 5)
    await keys.note_use(key.id)
    [entry] = await keys.entries(ADMIN)
    assert entry.last_used is not None
    assert entry.last_used - key.created_at < timedelta(minutes=1)


async def test_no_more_are_in_use_than_allowed(keys: AnyKeys) -> None:
    """Also where several are made at once; one that is revoked makes room."""
    first = made()
    await keys.add(ADMIN, first, b"0" * 32, 3)
    added = await asyncio.gather(*(keys.add(ADMIN, made(), bytes([number]) * 32, 3) for number in range(1, 6)))
    assert sorted(added) == [False, False, False, True, True]
    await keys.revoke(ADMIN, first.id)
    assert await keys.add(ADMIN, made(), b"x" * 32, 3)


@pytest.mark.postgres
async def test_only_administrators_touch_them(api: ApiDatabase) -> None:
    """Row level security hides all from users, and lets none make or revoke one; nobody reads a digest back."""
    keys = PostgresApiKeys(api)
    key = made()
    await keys.add(ADMIN, key, b"d" * 32, 5)
    user = Caller(uuid4(), "user", frozenset({"operate", "events:write"}))
    assert await keys.entries(user) == []
    assert not await keys.revoke(user, key.id)
    with pytest.raises(NotPermittedError):
        await keys.add(user, made(), b"e" * 32, 5)
    for caller, statement in (
        (ADMIN, "SELECT digest FROM api_keys"),
        (ADMIN, "DELETE FROM api_keys"),
        (ADMIN, "UPDATE api_keys SET permissions = '{operate}'"),
        (user, "SELECT digest FROM api_keys"),
    ):
        with pytest.raises(NotPermittedError):
            async with api.reading(caller) as connection:
                await connection.execute(text(statement))


async def test_a_key_that_is_exchanged_holds_for_a_while_yet(keys: AnyKeys) -> None:
    """Its end comes nearer and is never put off; it is exchanged once; what is not in use is not exchanged."""
    old, new = made(), replace(made("new"), expires_at=None)
    await keys.add(ADMIN, old, b"d" * 32, 5)
    ends = old.created_at + timedelta(hours=1)
    assert await keys.replace(ADMIN, old.id, lambda _: new, b"e" * 32, ends) == new
    assert await keys.in_use() == {b"d" * 32: replace(old, replaced_by=new.id, expires_at=ends), b"e" * 32: new}
    with pytest.raises(ConflictError):
        await keys.replace(ADMIN, old.id, lambda _: made(), b"f" * 32, ends)
    short = made(lives=timedelta(minutes=5))
    await keys.add(ADMIN, short, b"g" * 32, 5)
    await keys.replace(ADMIN, short.id, lambda _: made(), b"h" * 32, ends)
    assert (await keys.in_use())[b"g" * 32].expires_at == short.expires_at
    assert await keys.replace(ADMIN, uuid4(), lambda _: new, b"i" * 32, ends) is None
