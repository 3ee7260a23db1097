"""Records that are passed over on purpose, and counted for it.

They are sent once nothing is killed any more: a process's counts die with it.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from typing import Final

import aiohttp

from app.topics import Topics
from tests.hostile.grounds import fronts_of_events, source_front
from tests.hostile.kinds import Ground, Shot
from tests.hostile.sending import open_producer, put
from tests.support.waiting import eventually

_TIMES: Final = 40
_COUNTED_WITHIN_S: Final = 30.0
_DAY_MS: Final = 86_400_000

Ports = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Passed:
    """One kind of record on one topic: who counts it, under which name, and how one is made."""

    role: str
    series: str
    ground: Ground
    make: Callable[[Ground, Random], Shot]


def _too_old(ground: Ground, chance: Random) -> Shot:
    days = chance.randint(8, 9000)
    return replace(ground.shot(ground.fresh(chance)), at_ms=int(time.time() * 1000) - days * _DAY_MS)


def _tombstone(ground: Ground, _: Random) -> Shot:
    return ground.shot(None)


def kinds(topics: Topics) -> Iterator[Passed]:
    """Yield every kind."""
    for front in fronts_of_events(topics):
        yield Passed("matcher", 'headrace_events_total{outcome="too_old"}', front.ground, _too_old)
    for outcome, make in (("too_old", _too_old), ("tombstone", _tombstone)):
        series = f'headrace_source_records_total{{outcome="{outcome}",source="hostile"}}'
        yield Passed("sources", series, source_front(topics).ground, make)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many were sent, and how many were counted, under one name of one role."""

    sent: int
    counted: int


async def pass_over(bootstrap: str, topics: Topics, ports: Ports, chance: Random) -> dict[str, Counts]:
    """Send all of them and wait until they are counted; returns the counts by role and series."""
    sent: dict[tuple[str, str], int] = {}
    all_kinds = list(kinds(topics))
    before = {(one.role, one.series): await _read(ports[one.role], one.series) for one in all_kinds}
    async with open_producer(bootstrap) as producer:
        for one in all_kinds:
            for _ in range(_TIMES):
                await put(producer, one.make(one.ground, chance))
            sent[one.role, one.series] = sent.get((one.role, one.series), 0) + _TIMES

    async def counted() -> dict[tuple[str, str], int]:
        return {name: await _read(ports[name[0]], name[1]) - before[name] for name in sent}

    async def all_counted() -> bool:
        return all(count >= sent[name] for name, count in (await counted()).items())

    with suppress(AssertionError):  # what is missing by then shows in the counts
        await eventually(all_counted, within=_COUNTED_WITHIN_S, every=0.5, what="what is passed over to be counted")
    return {f"{role}: {series}": Counts(sent[role, series], n) for (role, series), n in (await counted()).items()}


async def _read(port: int, series: str) -> int:
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return sum(int(float(line.rpartition(" ")[2])) for line in lines if line.startswith(f"{series} "))
