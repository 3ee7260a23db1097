"""The suite beside something else: rounds go on where they were stopped, and no loop is left behind."""

from pathlib import Path

import psutil
import pytest

from tests.busy.load import busy
from tests.busy.run import Row, rounds
from tests.support.waiting import eventually


class Rounds:
    """Rounds with known ends; remembers which were run."""

    def __init__(self, *passed: bool) -> None:
        self._passed = iter(passed)
        self.ran: list[int] = []

    def run(self, number: int) -> bool:
        """Run one."""
        self.ran.append(number)
        return next(self._passed)


def test_rounds_go_on_where_they_were_stopped(tmp_path: Path) -> None:
    """Those that have passed on the tree are not run again; on another tree they all are."""
    said: list[str] = []

    def stopped(number: int) -> bool:
        if number == 2:
            raise KeyboardInterrupt
        return True

    with pytest.raises(KeyboardInterrupt):
        rounds(Row(tmp_path / "busy.json", "a"), 3, stopped, said.append)
    assert len(Row(tmp_path / "busy.json", "a").passed) == 1
    assert not Row(tmp_path / "busy.json", "b").passed
    rest = Rounds(True, True)
    assert rounds(Row(tmp_path / "busy.json", "a"), 3, rest.run, said.append)
    assert rest.ran == [2, 3]
    assert said[-1].startswith("3 rounds have passed in a row")


def test_a_round_that_fails_starts_the_row_anew(tmp_path: Path) -> None:
    """Three in a row are wanted, not three of four."""
    row = Row(tmp_path / "busy.json", "a")
    assert not rounds(row, 3, Rounds(True, False).run, list[str]().append)
    assert Row(tmp_path / "busy.json", "a").passed == []


async def test_the_loops_end_with_the_block() -> None:
    """They use their cores, and are gone also where the block failed."""

    def working(loop: psutil.Process) -> bool:
        return loop.cpu_times().user > 0.05

    loops: list[psutil.Process] = []

    async def fails_while_they_work() -> None:
        with busy(2) as pids:
            loops.extend(psutil.Process(pid) for pid in pids)
            await eventually(lambda: all(working(loop) for loop in loops), what="loops at work")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails_while_they_work()
    assert len(loops) == 2
    assert not any(loop.is_running() for loop in loops)
