"""The breakers' store: the fake and the one in Postgres keep the same promises."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from psycopg_pool import AsyncConnectionPool

from app.adapters.postgres.breakers import PostgresBreakers
from app.domain.breaker import PROBES, WIDESPREAD, BreakerPolicy, BreakerState, Permit, asked, circuit_of, tripped
from app.domain.errors import ActionFailedError
from app.execution.breakers import Admission, Breakers
from app.ports import BreakerStore
from tests.support.breakers import MemoryBreakers
from tests.support.deadlines import scaled
from tests.support.waiting import eventually

LONG = BreakerPolicy(threshold=2, timeout=timedelta(seconds=60))
# Long enough for a busy machine's other worker to see it open.
SHORT = BreakerPolicy(threshold=2, timeout=timedelta(seconds=scaled(0.3)))
HOOK = "https://shop.example:443"


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[BreakerStore]:
    """A store for all workers of a test."""
    if request.param == "memory":
        yield MemoryBreakers()
        return
    database = request.getfixturevalue("database")
    pool: Any = AsyncConnectionPool(database, kwargs={"autocommit": True}, min_size=1, max_size=4, open=False)
    async with pool:
        yield PostgresBreakers(pool, database)


@asynccontextmanager
async def worker(store: BreakerStore, policy: BreakerPolicy) -> AsyncIterator[Breakers]:
    """A worker that follows the others."""
    breakers = Breakers(store, policy)
    following = asyncio.create_task(breakers.run())
    try:
        yield breakers
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


async def fail(breakers: Breakers, times: int, *, probe: bool = False) -> None:
    """Let attempts fail, probes or others."""
    for _ in range(times):
        admission = await breakers.admit(HOOK)
        assert admission.admitted
        assert admission.probe == probe
        await breakers.record(HOOK, admission, "answered 503: secret")


async def shut(breakers: Breakers) -> Admission:
    """Wait until the worker knows that the breaker is open."""
    await eventually(lambda: breakers.shut(HOOK), what="the breaker to open")
    return await breakers.admit(HOOK)


async def test_what_one_worker_finds_out_every_worker_knows(store: BreakerStore) -> None:
    """Two failures open it for both; they say why, but not what the destination answered; others stay open to all."""
    async with worker(store, LONG) as one, worker(store, LONG) as two:
        await fail(one, 2)
        for breakers in (one, two):
            refused = await shut(breakers)
            assert not refused.admitted
            assert 0 < refused.wait <= 60
            assert refused.reason == "answered 503"
        assert (await two.admit("https://other.example:443")).admitted


async def test_half_open_lets_three_through_in_all_and_closes_for_all(store: BreakerStore) -> None:
    """Over all workers; their successes close it, and nobody has to ask any more."""
    async with worker(store, SHORT) as one, worker(store, SHORT) as two:
        await fail(one, 2)
        await shut(one)
        await eventually(lambda: one.shut(HOOK) is None and two.shut(HOOK) is None, what="half open")
        admissions = [await breakers.admit(HOOK) for breakers in (one, two) * 3]
        assert [admission.probe for admission in admissions] == [True] * PROBES + [False] * 3
        assert [admission.admitted for admission in admissions] == [True] * PROBES + [False] * 3
        for breakers in (one, two, one):
            await breakers.record(HOOK, Admission(probe=True), None)
        for breakers in (one, two):
            await eventually(partial(_free, breakers), what="the breaker to close")


async def _free(breakers: Breakers) -> bool:
    admission = await breakers.admit(HOOK)
    return admission.admitted and not admission.probe


async def test_a_probe_that_fails_opens_it_again(store: BreakerStore) -> None:
    """For the whole timeout, for all workers."""
    async with worker(store, SHORT) as one, worker(store, SHORT) as two:
        await fail(one, 2)
        await eventually(lambda: one.shut(HOOK) is None and two.shut(HOOK) is None, what="half open")

        async def heard() -> object:
            # Once more where a busy machine's other worker hears of it only when it is half open again.
            if one.shut(HOOK) is None:
                await fail(one, 1, probe=True)
                assert one.shut(HOOK) is not None
            return two.shut(HOOK)

        await eventually(heard, what="the other to hear of it")


async def test_a_probe_that_says_nothing_is_made_again(store: BreakerStore) -> None:
    """A mistake of the workflow's own neither closes nor opens it, and the next attempt is a probe in its place."""
    async with worker(store, SHORT) as one:
        await fail(one, 2)
        await shut(one)
        await eventually(lambda: one.shut(HOOK) is None, what="half open")
        for _ in range(2 * PROBES):
            admission = await one.admit(HOOK)
            assert admission.probe
            await one.judge(HOOK, admission, ActionFailedError("url: is no URL", permanent=True))


async def test_every_worker_knows_what_fails_for_three_owners(store: BreakerStore) -> None:
    """Two owners' circuits are two owners' matter; a third makes it the destination, for a fourth and every worker."""
    circuits = [circuit_of(HOOK, uuid4()) for _ in range(WIDESPREAD)]
    fourth = circuit_of(HOOK, uuid4())
    async with worker(store, LONG) as one, worker(store, LONG) as two:
        for circuit in circuits:
            for breakers in (one, two):
                assert (await breakers.admit(fourth)).admitted
            for _ in range(2):
                await one.record(circuit, await one.admit(circuit), "answered 503")
        for breakers in (one, two):
            await eventually(partial(breakers.shut, fourth), what="the destination to be left alone")
            assert breakers.shut(circuit_of("https://other.example:443", uuid4())) is None


async def test_a_worker_that_starts_knows_what_is_open(store: BreakerStore) -> None:
    """Restarts do not forget."""
    async with worker(store, LONG) as one:
        await fail(one, 2)
    async with worker(store, LONG) as restarted:
        assert not (await shut(restarted)).admitted


async def test_changes_at_the_same_time_are_made_one_after_the_other(store: BreakerStore) -> None:
    """Twenty workers ask for a probe at once: three get one."""

    def trip(state: BreakerState | None, now: datetime) -> BreakerState:
        return tripped(state, now - LONG.timeout, LONG, "answered 500")

    await store.change(HOOK, trip)
    permits: list[Permit] = []

    def ask(state: BreakerState | None, now: datetime) -> BreakerState | None:
        permit, after = asked(state, now, LONG)
        permits.append(permit)
        return after

    await asyncio.gather(*(store.change(HOOK, ask) for _ in range(20)))
    assert Counter(permits) == {Permit.PROBE: PROBES, Permit.REFUSED: 20 - PROBES}


async def test_a_destination_that_serves_costs_nothing() -> None:
    """No change is asked for, by failures now and then neither."""
    store = MemoryBreakers()
    breakers = Breakers(store, BreakerPolicy(threshold=3))
    for failure in [None, "x", "x", None, "x", "x", None]:
        await breakers.record(HOOK, await breakers.admit(HOOK), failure)
    assert store.changes == 0
