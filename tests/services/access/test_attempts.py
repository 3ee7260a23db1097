"""Attempts to sign in: what is written of those that fail is bounded as they are."""

import pytest

from app.services.access.attempts import HELD_S, Attempts
from app.services.access.rate_limit import RateLimitedError, RateLimiter
from tests.support.memory_notes import MemoryNotes


class World:
    """Attempts of which an account and an address have two a minute."""

    def __init__(self) -> None:
        self.now = 0.0
        self.notes = MemoryNotes()
        accounts, addresses = (RateLimiter(2, lambda: self.now, what="attempts") for _ in range(2))
        self.attempts = Attempts(accounts, addresses, self.notes, lambda: self.now)

    async def of(self, address: str, times: int) -> None:
        """Try from an address that has too many."""
        for _ in range(times):
            with pytest.raises(RateLimitedError):
                await self.attempts.of_address(address)


async def test_an_address_above_its_limit_is_written_once_a_minute() -> None:
    """With how many there were since: a flood is no flood of writes."""
    world = World()
    for _ in range(2):
        await world.attempts.of_address("192.0.2.1")
    await world.of("192.0.2.1", 500)
    assert world.notes.failed == {("unknown", "192.0.2.1", "too_many"): 1}
    world.now += HELD_S
    for _ in range(2):
        await world.attempts.of_address("192.0.2.1")
    await world.of("192.0.2.1", 1)
    assert world.notes.failed == {("unknown", "192.0.2.1", "too_many"): 501}


async def test_an_account_above_its_limit_is_told_with_the_address() -> None:
    """An administrator sees who is being guessed, and from where."""
    world = World()
    for _ in range(2):
        await world.attempts.at_account("Ada@Example.com", "192.0.2.1")
    with pytest.raises(RateLimitedError):
        await world.attempts.at_account("ada@example.COM", "192.0.2.1")
    assert world.notes.failed == {("ada@example.com", "192.0.2.1", "too_many"): 1}


@pytest.mark.parametrize(
    "typed", ["hunter2", "a" * 250 + "@example.com", "Ada <ada@example.com>", "a\0@example.com", ""]
)
async def test_what_is_no_address_is_not_told(typed: str) -> None:
    """It may be a password in the wrong field."""
    world = World()
    await world.attempts.failed(typed, "192.0.2.1", "no_such_user")
    assert world.notes.failed == {("unknown", "192.0.2.1", "no_such_user"): 1}
