"""``make fuzz-templates``: no template takes more than 300 ms of CPU or 32 MB, compiled or rendered.

Each template follows from the seed and its number alone: ``--seed`` and ``--first`` repeat a run or go on with one.
What is found is shrunk and printed.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.domain.templating import MAX_SOURCE, Template
from app.domain.templating.sandbox import HTML, PLAIN
from app.domain.wall import walled
from tests.fuzz.grammar import grown

MAX_CPU_S: Final = 0.300
MAX_BYTES: Final = 32 * 2**20
_NUMBERS: Final = 200
_SHRINKS: Final = 400
_TRIES: Final = 3
_EVERY_S: Final = 5.0


def hostile_context() -> dict[str, Any]:
    """What a template may find in an event: at most 256 kB, as large and as deep as it hurts."""
    deep: Any = []
    for _ in range(60):
        deep = [deep, {"a": 1}]
    return {
        "l": [str(n) for n in range(18_000)],
        "deep": deep,
        "big": "x" * 200_000,
        "half": "a b" * 40_000,
        "wide": "\U0001f600" * 60_000,
        "lines": "\n" * 60_000,
        "many": list(range(30_000)),
        "rows": [{"a": n, "b": {"a": str(n)}} for n in range(6_000)],
        "tree": [[[[]] * 9] * 9] * 9,
        "huge": 2**4_000,
        "text": "a",
        "one": 1,
    }


@dataclass(frozen=True, slots=True)
class Cost:
    """What the compile and the render of a template took."""

    cpu: float
    size: int

    @property
    def too_much(self) -> bool:
        """Whether it is over a bound."""
        return self.cpu > MAX_CPU_S or self.size > MAX_BYTES


def cost(source: str, context: dict[str, Any]) -> Cost:
    """Compile and render a template; the dearer of both counts. What is too long to be one costs nothing."""
    if len(source) > MAX_SOURCE:
        return Cost(0.0, 0)
    made: list[Template] = []
    return cost_of(lambda: made.append(_compiled(source)), lambda: [one.render(context) for one in made])


def cost_of(*works: Callable[[], object]) -> Cost:
    """Do pieces of work one after the other; the dearest counts, and the peak of memory over all."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = _memory("VmRSS")
    cpu = max(_cpu(work) for work in works)
    return Cost(cpu, _memory("VmHWM") - before)


def _compiled(source: str) -> Template:
    # Not from the cache, which would keep thousands of them.
    return walled(Template, HTML if len(source) % 2 else PLAIN, source)


def _cpu(work: Callable[[], object]) -> float:
    began = time.thread_time()
    # What a template raises on compile beside these is what ``compile_template`` says as one of these.
    with contextlib.suppress(Exception):
        work()
    return time.thread_time() - began


def _memory(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1_024 if found else 0


def least(source: str, context: dict[str, Any]) -> Cost:
    """The cheapest of a few tries: a machine that is busy with other things makes CPU dearer, not templates."""
    found = cost(source, context)
    for _ in range(_TRIES - 1):
        if not found.too_much:
            break
        again = cost(source, context)
        found = Cost(min(found.cpu, again.cpu), min(found.size, again.size))
    return found


def numbers_of(seed: int, number: int) -> list[int]:
    """The numbers that a template of a run follows from."""
    chance = random.Random(f"{seed}/{number}")
    return [chance.randrange(2**16) for _ in range(chance.randrange(10, _NUMBERS))]


def shrunk(numbers: Sequence[int], fails: Callable[[Sequence[int]], bool]) -> list[int]:
    """Leave out, or set to 0, what it fails without; gives up after some hundred tries."""
    best, size, tries = list(numbers), max(1, len(numbers) // 2), 0
    while size and tries < _SHRINKS:
        at = 0
        while at < len(best) and tries < _SHRINKS:
            tries += 1
            smaller = best[:at] + best[at + size :]
            if fails(smaller):
                best = smaller
            else:
                at += size
        size //= 2
    return best


def fuzz(seconds: float, seed: int, first: int, say: Callable[[str], None]) -> list[str]:
    """Try templates for so long; returns the smallest form of each that costs too much."""
    context, found = hostile_context(), []
    began = spoke = time.monotonic()
    number, dearest, largest = first, 0.0, 0
    while time.monotonic() - began < seconds:
        numbers = numbers_of(seed, number)
        took = least(grown(numbers), context)
        dearest, largest = max(dearest, took.cpu), max(largest, took.size)
        if took.too_much:
            small = grown(shrunk(numbers, lambda some: least(grown(some), context).too_much))
            found.append(small)
            say(f"number {number}: {took.cpu * 1000:.0f} ms, {took.size / 2**20:.0f} MB: {small[:4000]}")
        number += 1
        if time.monotonic() - spoke > _EVERY_S:
            spoke = time.monotonic()
            say(f"{number - first} templates, at most {dearest * 1000:.0f} ms and {largest / 2**20:.0f} MB")
    say(f"seed {seed}, numbers {first} to {number - 1}: {len(found)} cost too much")
    return found


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1_200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    say: Callable[[str], None] = lambda text: print(text, flush=True)  # noqa: E731, T201
    say(f"seed {given.seed}, from number {given.first}")
    return 1 if fuzz(given.seconds, given.seed, given.first, say) else 0


if __name__ == "__main__":
    sys.exit(main())
