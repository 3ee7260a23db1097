"""Owners' rights: few questions to Postgres, and never old ones for long."""

import asyncio
from uuid import UUID, uuid4

from app.domain.callers import Caller, Permission
from app.services.access.owner_rights import MAX_AGE_S, NOTED_FOR_S, CallerNotes, RecentRights
from app.services.access.recent import MAX_KEPT
from tests.support.fake_rights import MemoryCallers

EVERYBODYS: frozenset[Permission] = frozenset({"crm:read"})


class World:
    """Callers in memory, what reads and notes them, and a clock."""

    def __init__(self) -> None:
        self.callers = MemoryCallers()
        self.now = 0.0
        self.rights = RecentRights(self.callers, EVERYBODYS, lambda: self.now)
        self.notes = CallerNotes(self.callers, lambda: self.now)

    async def of(self, owner: UUID) -> Caller:
        """Return what one owner may."""
        return (await self.rights.of([owner]))[owner]


async def test_an_owner_has_what_their_token_says_and_what_everybody_has() -> None:
    """One who never called is a user like every other."""
    world, owner, stranger = World(), uuid4(), uuid4()
    await world.notes.note(Caller(owner, "user", frozenset({"operate"})))
    assert await world.of(owner) == Caller(owner, "user", frozenset({"operate", "crm:read"}))
    assert await world.of(stranger) == Caller(stranger, "user", EVERYBODYS)


async def test_all_owners_are_read_at_once_and_once_for_all_who_ask() -> None:
    """Many askers at one moment cost one query; those known are not read again until they are stale."""
    world, owners = World(), [uuid4() for _ in range(3)]
    await asyncio.gather(*(world.rights.of(owners) for _ in range(5)))
    await world.rights.of([*owners, late := uuid4()])
    assert world.callers.reads == [set(owners), {late}]
    world.now += MAX_AGE_S + 0.1
    await world.rights.of(owners)
    assert world.callers.reads[2:] == [set(owners)]


async def test_what_is_taken_from_an_owner_is_gone_within_seconds() -> None:
    """A token that says less, noted at its first call, counts as soon as what is known is stale."""
    world, owner = World(), uuid4()
    await world.notes.note(Caller(owner, "admin"))
    assert (await world.of(owner)).may("operate")
    await world.notes.note(Caller(owner, "user"))
    world.now += MAX_AGE_S + 0.1
    assert not (await world.of(owner)).may("operate")


async def test_a_caller_is_noted_when_something_changes_and_not_on_each_call() -> None:
    """Another token is noted at once; the same again after a while, for another process may have noted another."""
    world, owner = World(), uuid4()
    full, less = Caller(owner, "user", frozenset({"operate"})), Caller(owner, "user")
    for caller in (full, full, full, less, less, full):
        await world.notes.note(caller)
    assert world.callers.notes == [full, less, full]
    world.now += NOTED_FOR_S
    await world.notes.note(full)
    assert world.callers.notes == [full, less, full, full]


async def test_what_could_not_be_noted_is_noted_at_the_next_call() -> None:
    """While Postgres is away a request goes on, by its own token."""
    world, caller = World(), Caller(uuid4(), "user")
    world.callers.reachable = False
    await world.notes.note(caller)
    world.callers.reachable = True
    await world.notes.note(caller)
    assert world.callers.notes == [caller]


async def test_memory_is_bounded() -> None:
    """However many owners there are."""
    world = World()
    many = [UUID(int=number) for number in range(MAX_KEPT + 10)]
    assert len(await world.rights.of(many)) == len(many)
    await world.of(uuid4())
    await world.rights.of([many[-1]])
    assert len(world.callers.reads) == 2
