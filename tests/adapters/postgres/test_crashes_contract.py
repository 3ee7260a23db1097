"""What outlives a process that dies of a record: the fake and the one in Postgres keep the same promises."""

from collections.abc import Iterator
from typing import Protocol

import psycopg
import pytest

from app.adapters.kafka.trials import ALONE_DEATHS
from app.adapters.postgres.crashes import PostgresCrashes
from app.adapters.postgres.database_roles import DatabaseRole
from app.domain.errors import SupersededError, UnreachableError
from app.ports import Crashes, Place
from tests.support.crashes import CrashStore, MemoryCrashes
from tests.support.logins import as_role

A: Place = ("events", 0)
B: Place = ("events", 1)


class Start(Protocol):
    """Starts a process."""

    def __call__(self, instance: str = "1") -> Crashes:
        """Return what it remembers crashes by."""


def crashes_of(database: str, group: str, instance: str = "1") -> PostgresCrashes:
    """What a process that may do nothing else knows of crashes."""
    role = DatabaseRole.SOURCES
    return PostgresCrashes(as_role(database, role), role, group=group, instance=instance)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """What starts one process after the other, of one instance unless another is named."""
    if request.param == "memory":
        store, names = CrashStore(), iter(range(1000))
        yield lambda instance="1": MemoryCrashes(store, str(next(names)), instance)
        return
    database: str = request.getfixturevalue("database")
    yield lambda instance="1": crashes_of(database, "g", instance)


async def deaths(start: Start, frontiers: dict[Place, int], watch: dict[Place, int]) -> dict[Place, int]:
    """Let a process take hold of partitions, watch them and die; returns the deaths it found."""
    process = start()
    found = await process.hold(frontiers)
    await process.watch({place: watch[place] for place in watch if place in {one.place for one in found}})
    return {one.place: one.deaths for one in found}


async def test_who_dies_again_and_again_at_the_same_frontier_is_counted(start: Start) -> None:
    """Each process that takes over what was not let go finds one death more, of each partition by itself."""
    assert await deaths(start, {A: 5, B: 7}, {A: 9, B: 9}) == {}
    assert await deaths(start, {A: 5, B: 7}, {A: 9, B: 9}) == {A: 1, B: 1}
    assert await deaths(start, {A: 5}, {A: 9}) == {A: 2}
    assert await deaths(start, {A: 5, B: 7}, {A: 9, B: 9}) == {A: 3, B: 2}


async def test_a_frontier_that_moves_within_what_was_in_flight_counts_on_and_past_it_anew(start: Start) -> None:
    """The record at fault may be any that was in flight; none of them can be once all are done."""
    await deaths(start, {A: 5}, {})
    assert await deaths(start, {A: 5}, {A: 9}) == {A: 1}
    assert await deaths(start, {A: 8}, {A: 9}) == {A: 2}
    assert await deaths(start, {A: 9}, {A: 12}) == {A: 1}


async def test_a_partition_with_nothing_to_read_is_never_suspect(start: Start) -> None:
    """Where it is read from is its end: nothing of it was in flight, however often its owner is killed."""
    for expected in ({}, {A: 1}, {A: 1}, {A: 1}):
        assert await deaths(start, {A: 5}, {A: 5}) == expected


async def test_who_lets_go_did_not_die(start: Start) -> None:
    """Neither a rebalance nor a stop counts; deaths from before stay until the frontier has passed."""
    first = start()
    await first.hold({A: 5})
    await first.let_go()
    second = start()
    assert not await second.hold({A: 5})
    assert [one.deaths for one in await start().hold({A: 5})] == [1]
    third = start()
    (found,) = await third.hold({A: 5})
    await third.watch({A: 9})
    await third.let_go()
    assert [one.deaths for one in await start().hold({A: 6})] == [found.deaths]
    await deaths(start, {}, {})
    last = start()
    await last.hold({A: 6})
    await last.let_go()
    assert not await start().hold({A: 9})


async def test_where_a_trial_ends_stays_until_another_process_dies(start: Start) -> None:
    """However far its successors have come, by an orderly stop or an assignment anew; with a death it is named anew."""
    await deaths(start, {A: 5}, {})
    second = start()
    assert [(one.deaths, one.watched) for one in await second.hold({A: 5})] == [(1, None)]
    await second.watch({A: 9})
    assert [(one.deaths, one.watched) for one in await second.hold({A: 6})] == [(1, 9)]
    await second.let_go()
    third = start()
    assert [(one.deaths, one.watched) for one in await third.hold({A: 7})] == [(1, 9)]
    await third.watch({A: 9})
    assert [(one.deaths, one.watched) for one in await start().hold({A: 7})] == [(2, None)]


async def test_a_process_that_holds_again_did_not_die(start: Start) -> None:
    """A rebalance that leaves it its partitions, without a word of giving them up, is no death of its own."""
    process = start()
    await process.hold({A: 5})
    assert not await process.hold({A: 5})


async def test_who_was_only_frozen_takes_its_death_back(start: Start) -> None:
    """Three workers, each frozen until another has its partition, then thawed: no record is condemned, ever."""
    processes = [start(str(number)) for number in range(3)]
    for turn in range(12):
        process = processes[turn % 3]
        for found in await process.hold({A: 5}):
            assert found.alone_deaths < ALONE_DEATHS
        await process.watch({A: 9})
        await process.mark(A, 5, 6)


async def test_who_stops_well_after_it_was_taken_for_dead_takes_its_death_back(start: Start) -> None:
    """What it was alone with is held less against the record too."""
    first = start("1")
    await first.hold({A: 5})
    await first.watch({A: 9})
    await first.mark(A, 5, 6)
    second = start("2")
    (found,) = await second.hold({A: 5})
    assert (found.deaths, found.alone_deaths) == (1, 1)
    await first.let_go()
    await second.let_go()
    assert not await start("3").hold({A: 5})


async def test_of_two_processes_of_one_instance_the_newer_stays(start: Start) -> None:
    """The older ends at its next assignment, so that they do not fence each other for ever."""
    older, newer = start(), start()
    await older.hold({A: 5})
    await newer.hold({A: 5})
    with pytest.raises(SupersededError):
        await older.hold({A: 5})
    await older.let_go()
    assert not await newer.hold({A: 5})


async def test_deaths_over_what_was_alone_are_counted_for_just_that(start: Start) -> None:
    """Marked again it counts on, other records begin anew, and what is done is forgotten."""
    await deaths(start, {A: 5}, {})
    for expected in (0, 1, 2):
        process = start()
        (found,) = await process.hold({A: 5})
        await process.watch({A: 9})
        assert (found.alone, found.alone_deaths) == ((5, 6) if expected else None, expected)
        await process.mark(A, 5, 6)
    process = start()
    (found,) = await process.hold({A: 5})
    assert found.alone_deaths == 3
    await process.watch({A: 9})
    await process.mark(A, 6, 9)
    (found,) = await start().hold({A: 6})
    assert (found.alone, found.alone_deaths) == ((6, 9), 1)
    (found,) = await start().hold({A: 9})
    assert (found.alone, found.alone_deaths) == (None, 0)


async def test_what_has_passed_is_forgotten(start: Start) -> None:
    """The next death is the first again."""
    await deaths(start, {A: 5}, {})
    process = start()
    await process.hold({A: 5})
    await process.watch({A: 9})
    await process.mark(A, 5, 6)
    await process.clear(A)
    await process.let_go()
    assert not await start().hold({A: 5})


async def test_the_dying_say_why(start: Start) -> None:
    """Who can still speak leaves its error, and has died all the same; a later frontier does not know it."""
    process = start()
    await process.hold({A: 5})
    await process.let_go("ZeroDivisionError: planted")
    process = start()
    (found,) = await process.hold({A: 5})
    await process.watch({A: 9})
    assert (found.deaths, found.error) == (1, "ZeroDivisionError: planted")
    await process.let_go()
    assert not await start().hold({A: 9})


async def test_of_a_partition_read_from_further_back_nothing_is_known(start: Start) -> None:
    """Somebody has reset the group, or made the topic anew: other records are there."""
    await deaths(start, {A: 5}, {})
    await deaths(start, {A: 5}, {A: 9})
    assert await deaths(start, {A: 2}, {A: 9}) == {A: 1}


async def test_nothing_is_held_against_records_while_the_store_is_away() -> None:
    """It says so, and in time."""
    store = CrashStore(reachable=False)
    with pytest.raises(UnreachableError):
        await MemoryCrashes(store, "1").hold({A: 1})
    nowhere = PostgresCrashes("postgresql://127.0.0.1:1/none", DatabaseRole.SOURCES, group="g", instance="1")
    with pytest.raises(UnreachableError):
        await nowhere.hold({A: 1})


@pytest.mark.postgres
async def test_groups_know_nothing_of_each_other(database: str) -> None:
    """The same partition, read by two groups, is two."""
    await crashes_of(database, "one").hold({A: 5})
    assert not await crashes_of(database, "two").hold({A: 5})


@pytest.mark.postgres
async def test_whom_a_restart_of_postgres_took_along_is_no_death(database: str) -> None:
    """Held since before Postgres was started: it may have died of that, and could not let go."""
    await crashes_of(database, "g").hold({A: 5})
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute("UPDATE partition_holds SET held_at = pg_postmaster_start_time() - interval '1 s'")
    assert not await crashes_of(database, "g").hold({A: 5})
