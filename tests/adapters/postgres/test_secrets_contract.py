"""The contract of ``SecretStore`` and ``SealedSecrets``, on the fake and on Postgres."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.resealing import reseal
from app.adapters.postgres.sealed_secrets import PostgresSealedSecrets, PostgresSecretGrants
from app.adapters.postgres.secrets import PostgresSecretStore
from app.adapters.secrets.cipher import FernetCipher
from app.domain.callers import Caller
from app.domain.errors import NotPermittedError, SecretsKeyError
from app.domain.grants import EVERYBODY, Grant
from app.ports import Sealed, SealedSecrets, SecretGrants, SecretStore
from tests.support.fake_secrets import KEY, OTHER_KEY, MemorySecrets
from tests.support.logins import api_of, pool_of

ADMIN = Caller(uuid4(), "admin")
GRANT = Grant((str(ADMIN.user_id),), ("*",), ("*.example.com", "a.example:8443"))


def keep(known: Grant | None) -> Grant:
    """Return the grant that there is, or the tests' own."""
    return known or GRANT


@dataclass(frozen=True, slots=True)
class World:
    """One store, from both sides."""

    store: SecretStore
    reader: SealedSecrets
    grants: SecretGrants


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """One store after the other."""
    if request.param == "memory":
        memory = MemorySecrets()
        yield World(memory, memory, memory)
        return
    url: str = request.getfixturevalue("database")
    api = api_of(url)
    async with pool_of(url, DatabaseRole.EXECUTOR) as pool:
        yield World(PostgresSecretStore(api), PostgresSealedSecrets(pool), PostgresSecretGrants(api.driver))
    await api.close()


async def test_what_is_stored_is_read_as_it_was_sealed(world: World) -> None:
    """Byte for byte; names that there are none of are left out."""
    await world.store.put(ADMIN, "SHOP_TOKEN", b"\x00sealed\xff", keep)
    assert await world.reader.read(["SHOP_TOKEN", "OTHER"]) == {"SHOP_TOKEN": Sealed(b"\x00sealed\xff", GRANT)}


async def test_a_second_value_takes_the_place_of_the_first(world: World) -> None:
    """The entry says who wrote it and when."""
    other = Caller(uuid4(), "admin")
    first = await world.store.put(ADMIN, "SHOP_TOKEN", b"one", keep)
    second = await world.store.put(other, "SHOP_TOKEN", b"two", keep)
    assert first
    assert second
    assert (first.updated_by, second.updated_by) == (ADMIN.user_id, other.user_id)
    assert first.updated_at <= second.updated_at
    assert abs(second.updated_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert await world.reader.read(["SHOP_TOKEN"]) == {"SHOP_TOKEN": Sealed(b"two", GRANT)}


async def test_a_grant_stays_until_it_is_changed(world: World) -> None:
    """It is read beside the value, and alone; it can be changed without one."""
    wider = Grant(("*",), (str(uuid4()),), ())
    await world.store.put(ADMIN, "SHOP_TOKEN", b"one", keep)
    await world.store.put(ADMIN, "SHOP_TOKEN", b"two", keep)
    assert await world.grants.of(["SHOP_TOKEN", "OTHER"]) == {"SHOP_TOKEN": GRANT}
    entry = await world.store.put(ADMIN, "SHOP_TOKEN", None, lambda known: wider if known == GRANT else EVERYBODY)
    assert entry is not None
    assert entry.grant == wider
    assert [one.grant for one in await world.store.entries(ADMIN)] == [wider]
    assert await world.reader.read(["SHOP_TOKEN"]) == {"SHOP_TOKEN": Sealed(b"two", wider)}
    assert await world.store.put(ADMIN, "OTHER", None, keep) is None


async def test_entries_are_names_in_order(world: World) -> None:
    """Of all that there are."""
    for name in ("B", "A_2", "A"):
        await world.store.put(ADMIN, name, b"x", keep)
    assert [entry.name for entry in await world.store.entries(ADMIN)] == ["A", "A_2", "B"]


async def test_what_is_removed_is_gone(world: World) -> None:
    """Removing says whether there was one."""
    await world.store.put(ADMIN, "A", b"x", keep)
    assert await world.store.delete(ADMIN, "A")
    assert not await world.store.delete(ADMIN, "A")
    assert await world.reader.read(["A"]) == {}


@pytest.mark.postgres
async def test_resealing_changes_keys_without_losing_a_value(database: str) -> None:
    """After it the new key alone opens everything; where one value cannot be opened nothing is changed."""
    api = api_of(database)
    old, both, new = FernetCipher(KEY), FernetCipher(f"{OTHER_KEY}, {KEY}"), FernetCipher(OTHER_KEY)
    async with pool_of(database, DatabaseRole.EXECUTOR) as pool:
        store, reader = PostgresSecretStore(api), PostgresSealedSecrets(pool)
        for name in ("A", "B"):
            await store.put(ADMIN, name, old.encrypt(f"value of {name}"), keep)
        assert reseal(database, both.renew) == 2
        sealed = await reader.read(["A", "B"])
        assert {name: new.decrypt(value.value) for name, value in sealed.items()} == {
            "A": "value of A",
            "B": "value of B",
        }
        await store.put(ADMIN, "C", old.encrypt("value of C"), keep)
        with pytest.raises(SecretsKeyError, match="HEADRACE_SECRETS_KEY"):
            reseal(database, new.renew)
        assert await reader.read(["A"]) == {"A": sealed["A"]}
    await api.close()


@pytest.mark.postgres
async def test_users_get_nowhere_near(database: str) -> None:
    """Row level security: a user writes, lists and removes nothing, whatever the API might let through."""
    api = api_of(database)
    store, user = PostgresSecretStore(api), Caller(uuid4(), "user")
    await store.put(ADMIN, "A", b"x", keep)
    assert list(await store.entries(user)) == []
    assert not await store.delete(user, "A")
    with pytest.raises(NotPermittedError):
        await store.put(user, "B", b"x", keep)
    assert len(await store.entries(ADMIN)) == 1
    await api.close()
