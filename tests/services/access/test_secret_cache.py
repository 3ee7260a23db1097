"""Secrets for executors: one query for many commands, seconds old at most, and a problem is told by name."""

import asyncio
from uuid import uuid4

from app.adapters.secrets.cipher import FernetCipher
from app.domain.callers import Caller
from app.domain.grants import EVERYBODY
from app.services.access.secret_cache import MAX_AGE_S, SecretCache
from tests.support.fake_secrets import KEY, OTHER_KEY, MemorySecrets

ADMIN = Caller(uuid4(), "admin")


async def stored(**values: str) -> MemorySecrets:
    """A store with values in it, sealed with ``KEY``."""
    source = MemorySecrets()
    for name, value in values.items():
        await source.put(ADMIN, name, FernetCipher(KEY).encrypt(value), lambda _: EVERYBODY)
    return source


async def test_many_commands_are_one_query() -> None:
    """Also those that ask at the same moment, and also for a name that there is not."""
    source, now = await stored(A="value-of-a"), [0.0]
    cache = SecretCache(source, FernetCipher(KEY), lambda: now[0])
    for answer in await asyncio.gather(*(cache.get(["A", "B"]) for _ in range(50))):
        assert answer.values == {"A": "value-of-a"}
        assert answer.problems == {"B": "there is no secret B; an administrator can store one"}
    assert source.reads == [["A", "B"]]


async def test_a_change_is_seen_within_seconds() -> None:
    """A new value, a removed one and one that is new are there once the old answer has aged."""
    source, now = await stored(A="value-of-a", B="value-of-b"), [0.0]
    cache = SecretCache(source, FernetCipher(KEY), lambda: now[0])
    assert (await cache.get(["A", "B", "C"])).values == {"A": "value-of-a", "B": "value-of-b"}
    await source.put(ADMIN, "A", FernetCipher(KEY).encrypt("newer value"), lambda _: EVERYBODY)
    await source.delete(ADMIN, "B")
    await source.put(ADMIN, "C", FernetCipher(KEY).encrypt("value-of-c"), lambda _: EVERYBODY)
    now[0] = MAX_AGE_S / 2
    assert (await cache.get(["A"])).values == {"A": "value-of-a"}
    now[0] = MAX_AGE_S + 0.01
    assert (await cache.get(["A", "B", "C"])).values == {"A": "newer value", "C": "value-of-c"}


async def test_a_secret_that_cannot_be_opened_is_one_problem() -> None:
    """It names the secret and the setting; the others are there."""
    source = await stored(A="value-of-a")
    await source.put(ADMIN, "B", FernetCipher(OTHER_KEY).encrypt("value-of-b"), lambda _: EVERYBODY)
    answer = await SecretCache(source, FernetCipher(KEY), lambda: 0.0).get(["A", "B"])
    assert answer.values == {"A": "value-of-a"}
    assert "the secret B cannot be opened: HEADRACE_SECRETS_KEY" in answer.problems["B"]


async def test_every_value_is_told_to_the_log() -> None:
    """So that it can blot it out."""
    seen: list[str] = []
    cache = SecretCache(await stored(A="value-of-a"), FernetCipher(KEY), lambda: 0.0, seen.append)
    await cache.get(["A", "B"])
    assert seen == ["value-of-a"]
    assert "value-of-a" not in repr(await cache.get(["A"]))
