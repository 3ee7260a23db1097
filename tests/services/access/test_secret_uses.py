"""Uses of secrets on their way to the audit trail: once an hour each, and never in the way of a step."""

import pytest

from app.domain.errors import UnreachableError
from app.domain.grants import Use
from app.ports import SecretUse
from app.services.access.secret_uses import SecretUses
from tests.integration.postgres.users import ANA, BEA, OF_ANA
from tests.support.fake_secrets import MemorySecretUses

ANAS = Use(ANA, OF_ANA)


class Bench:
    """Notes over a store in memory, in an hour that the test sets."""

    def __init__(self, most: int = 100) -> None:
        self.hour = 1
        self.store = MemorySecretUses()
        self.uses = SecretUses(self.store, lambda: self.hour, most=most)


async def test_a_use_is_written_once_an_hour() -> None:
    """However often it happens, by secret, workflow and owner; the next hour it is written again."""
    bench = Bench()
    for _ in range(3):
        bench.uses.note({"A"}, ANAS)
        bench.uses.note({"A"}, Use(BEA, OF_ANA))
        await bench.uses.write()
    assert bench.store.added == [SecretUse("A", ANAS), SecretUse("A", Use(BEA, OF_ANA))]
    bench.hour = 2
    bench.uses.note({"A"}, ANAS)
    await bench.uses.write()
    assert bench.store.added[2:] == [SecretUse("A", ANAS)]


async def test_what_could_not_be_written_is_written_later() -> None:
    """An outage of Postgres loses no use."""
    bench = Bench()
    bench.store.reachable = False
    bench.uses.note({"A"}, ANAS)
    with pytest.raises(UnreachableError):
        await bench.uses.write()
    bench.store.reachable = True
    await bench.uses.write()
    await bench.uses.write()
    assert bench.store.added == [SecretUse("A", ANAS)]


async def test_memory_is_bounded() -> None:
    """What cannot be held is noted with its next use, when there is room again."""
    bench = Bench(most=2)
    for name in ("A", "B", "C"):
        bench.uses.note({name}, ANAS)
    await bench.uses.write()
    bench.uses.note({"C"}, ANAS)
    await bench.uses.write()
    assert [one.secret for one in bench.store.added] == ["A", "B", "C"]
