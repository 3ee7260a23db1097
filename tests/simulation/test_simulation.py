"""What is promised holds in every run of the simulation, and the simulation finds it where it does not."""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import pytest

from tests.simulation.judge import wrong
from tests.simulation.plants import PLANTS
from tests.simulation.virtual_time import StalledError, run
from tests.simulation.world import simulate

ROOT: Final = Path(__file__).resolve().parents[2]
_SEEDS: Final = 500
_CHUNK: Final = 50


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of processes that die have much to say."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("first", range(1, _SEEDS, _CHUNK))
def test_nothing_is_lost_done_twice_or_out_of_order(first: int) -> None:
    """Whatever is killed, frozen, restarted, lost on the way or answered twice: the first 500 seeds."""
    failed = {seed: found for seed in range(first, first + _CHUNK) if (found := wrong(simulate(seed)))}
    assert not failed, f"see one: python -m tests.simulation.run --seed {min(failed)}"


@pytest.mark.parametrize("plant", sorted(PLANTS))
def test_a_planted_bug_is_found(plant: str) -> None:
    """Within 500 seeds; mostly in the first few."""
    assert any(wrong(simulate(seed, PLANTS[plant])) for seed in range(1, _SEEDS + 1))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_seed_replays_exactly(seed: int) -> None:
    """Everything that happens happens again, at the same time: also in a process whose sets have another order."""
    told = simulate(seed).told
    assert simulate(seed).told == told
    for hashes in ("1", "2"):
        ran = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "tests.simulation.run", "--seed", str(seed)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hashes},
            check=True,
            capture_output=True,
            text=True,
        )
        assert ran.stdout.splitlines()[:-1] == told


def test_seeds_differ() -> None:
    """Among a few there is a kill, a frozen process, one that leaves, and every way to lose an answer."""
    told = " ".join(chain.from_iterable(simulate(seed).told for seed in range(1, 13)))
    for word in ("kill -9", "freeze", "thaw", "SIGTERM", "confirms nothing", "answer of a call lost", "before a call"):
        assert word in told


def test_time_passes_without_waiting() -> None:
    """An hour is over at once, and what does not end is told."""

    async def an_hour() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    assert run(an_hour()) == 3600

    async def for_ever() -> None:
        await asyncio.get_running_loop().create_future()

    async def again_and_again() -> None:
        while True:  # noqa: ASYNC110 - what it waits for never comes
            await asyncio.sleep(60)

    for never_ends in (for_ever, again_and_again):
        with pytest.raises(StalledError):
            run(never_ends())
