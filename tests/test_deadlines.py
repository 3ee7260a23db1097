"""Deadlines of tests come from one place and scale with the machine; a wait says what it waited for and what it saw."""

import ast
import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.deadlines import PACE, Deadline, Pace, measured
from tests.support.waiting import eventually, finished, in_time, limit

TESTS: Final = Path(__file__).parent
# Where real time is the subject, or where a port's own waiting is implemented: no deadlines of tests.
NO_DEADLINES: Final = {
    "support/deadlines.py": "the one place",
    "support/waiting.py": "what waits, by the one place",
    "support/breakers.py": "a port's wait, as long as its caller says",
    "support/timers.py": "the same",
    "integration/test_order.py": "a pause between two rounds",
    "simulation/outside.py": "virtual time, and a port's wait, as long as its caller says",
    "simulation/world.py": "virtual time",
    "benchmarks/ceiling_http.py": "a client's setting, the same as the product's",
}
WAITS: Final = {"asyncio.timeout", "asyncio.timeout_at", "asyncio.wait_for"}
# CPU time too: a core that others share does less in a second of it.
CLOCKS: Final = {"monotonic", "perf_counter", "thread_time", "process_time"}
# Their ``timeout`` and ``within`` are settings of what is tested.
SUBJECTS: Final = {"Preparer", "DryRunPreparer", "Shared", "Current", "BreakerPolicy", "context_of", "ActionContext"}


def named(node: ast.expr) -> str:
    """Return a called function's name."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def own_deadlines(tree: ast.AST) -> Iterator[str]:
    """Yield each wait that does not go by the one place: a timeout of its own, or a bound of real time."""
    measured_names = set(_measured_names(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = named(node)
            timeouts = [keyword.value for keyword in node.keywords if keyword.arg == "timeout"]
            unscaled = any(named(value) != "scaled" for value in timeouts)
            if name in WAITS or (unscaled and name.rpartition(".")[2] not in SUBJECTS):
                yield f"line {node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.Compare) and any(_upper_bounds(node, measured_names)):
            yield f"line {node.lineno}: {ast.unparse(node)}"


def _reads_clock(node: ast.expr) -> bool:
    """Whether an expression asks a clock that only grows."""
    return any(isinstance(call, ast.Call) and named(call).rpartition(".")[2] in CLOCKS for call in ast.walk(node))


def _measured_names(tree: ast.AST) -> Iterator[str]:
    """Yield the names of durations: what was set to a difference from a clock."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp) and _reads_clock(node.value):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _upper_bounds(node: ast.Compare, durations: set[str]) -> Iterator[bool]:
    """Whether a number bounds what a clock that only grows has shown."""
    sides = [node.left, *node.comparators]
    for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
        reads = _reads_clock(left) or (isinstance(left, ast.Name) and left.id in durations)
        yield isinstance(operator, ast.Lt | ast.LtE) and reads and isinstance(right, ast.Constant)


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: str(path.relative_to(TESTS)))
def test_no_test_has_a_deadline_of_its_own(path: Path) -> None:
    """Timeouts and bounds of real time are scaled, everywhere but where real time is the subject."""
    if str(path.relative_to(TESTS)) not in NO_DEADLINES:
        assert not list(own_deadlines(ast.parse(path.read_text())))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("asyncio.wait_for(x, 5)", True),
        ("asyncio.timeout(LONG_S)", True),
        ("subprocess.run(x, timeout=30)", True),
        ("process.wait(timeout=LONG_S)", True),
        ("subprocess.run(x, timeout=scaled(30))", False),
        ("assert time.monotonic() - began < 5", True),
        ("assert 0.1 < monotonic() - began < 5", True),
        ("assert monotonic() - began < scaled(5)", False),
        ("assert time.thread_time() - began < 5", True),
        ("assert monotonic() - began > 5", False),
        ("took = monotonic() - began; assert took < 5", True),
        ("Preparer(kind, timeout=5)", False),
        ("eventually(x, within=30)", False),
    ],
)
def test_what_counts_as_a_deadline_of_its_own(line: str, *, found: bool) -> None:
    """A timeout and an upper bound do; a lower bound, and a setting of what is tested, do not."""
    assert bool(list(own_deadlines(ast.parse(line)))) == found


class Machine:
    """A machine that is as slow as it says, and its clock."""

    def __init__(self, *slowness: float) -> None:
        self.slowness = list(slowness)
        self.now = 0.0

    def measure(self, rounds: int) -> float:
        """Give the next slowness; the last one stays."""
        return self.slowness.pop(0) if len(self.slowness) > 1 else self.slowness[0]

    def clock(self) -> float:
        """The time there."""
        return self.now


def pace_of(machine: Machine, least: float = 1.0) -> Pace:
    """The pace of a machine."""
    return Pace(machine.measure, machine.clock, least)


@pytest.mark.parametrize(
    ("slowness", "least", "factor"), [(2.5, 1, 2.5), (0.4, 1, 1), (1.0, 3, 3), (99, 1, 12), (99, 20, 20), (1, 0.1, 1)]
)
def test_a_deadline_is_as_much_longer_as_the_machine_is_slower(slowness: float, least: float, factor: float) -> None:
    """Never shorter than written, not without end, and at least what the variable says."""
    assert pace_of(Machine(slowness), least).factor() == factor


def test_the_worst_of_the_last_few_measurements_counts() -> None:
    """It is measured again every half a minute; a slow moment counts for a while and is then forgotten."""
    machine = Machine(1.0, 4.0, 1.0)
    pace, factors = pace_of(machine), []
    for _ in range(8):
        factors.append(pace.factor())
        assert pace.factor() == factors[-1]
        machine.now += 31
    assert factors == [1, 4, 4, 4, 4, 4, 1, 1]


def test_a_deadline_moves_away_while_the_machine_gets_slower() -> None:
    """At its end the machine is measured once more; it ends where the machine is no slower than before."""
    machine = Machine(1.0, 3.0)
    deadline = Deadline(10, pace_of(machine), machine.clock)
    machine.now = 10.5
    assert deadline.left() == 19.5
    machine.now = 30.0
    assert deadline.left() == 0
    assert str(deadline) == "waited 30.0 s (10 s, 3.0 times as long on this machine)"


def test_this_machine_is_measured() -> None:
    """The work and the start of a process give a factor that is a number above nothing."""
    assert 0.05 < measured() < 1000
    assert PACE.factor() >= 1


async def _hangs() -> None:
    await asyncio.Event().wait()


async def _in_block() -> None:
    async with limit(0.01, what="the bell", saw=lambda: "no bell"):
        await _hangs()


@pytest.mark.parametrize(
    ("wait", "said"),
    [
        (lambda: eventually(lambda: 0, within=0.01, what="the bell"), r"waited .* for the bell; last seen: 0"),
        (lambda: eventually(lambda: [][:7], within=0.01), r"\[\]\[:7\].*test_deadlines.py:\d+\); last seen: \[\]"),
        (lambda: in_time(_hangs(), 0.01, what="the bell", saw=lambda: "no bell"), "for the bell; seen: no bell"),
        (_in_block, "for the bell; seen: no bell"),
    ],
    ids=["eventually", "eventually by its line", "in_time", "limit"],
)
async def test_a_wait_says_what_it_waited_for_and_what_it_saw(wait: Callable[[], object], said: str) -> None:
    """How long it waited is said too, and by how much that was scaled."""
    with pytest.raises(AssertionError, match=said) as failure:
        await wait()  # type: ignore[misc]
    assert "0.01 s" in str(failure.value)


async def test_what_comes_in_time_is_returned_and_its_error_comes_out() -> None:
    """Also a TimeoutError of the awaited itself, which is none of the deadline's."""

    async def fails() -> None:
        raise TimeoutError("its own")

    assert await in_time(asyncio.sleep(0, "here"), 5, what="it") == "here"
    with pytest.raises(TimeoutError, match="its own"):
        await in_time(fails(), 5, what="it")
    with pytest.raises(TimeoutError, match="its own"):
        async with limit(5, what="it"):
            await fails()


def test_a_program_that_does_not_end_is_killed_and_its_output_shown() -> None:
    """One that does end gives its code and what it said."""
    done = finished([sys.executable, "-c", "import sys; print('out'); sys.exit('err')"], within=30)
    assert (done.returncode, done.stdout, done.stderr) == (1, "out\n", "err\n")
    hangs = "import time; print('so far', flush=True); time.sleep(600)"
    with pytest.raises(AssertionError, match=r"for the end of .*; its output so far: so far"):
        finished([sys.executable, "-c", hangs], within=1)
