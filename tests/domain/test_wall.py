"""The wall: whatever runs behind it ends, and nothing that runs after it is hit."""

import asyncio
import gc
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable

import pytest
import uvloop

from app.domain.wall import LIMIT_MS, METER, Unraisable, WallReachedError, reserve, walled
from tests.support.deadlines import scaled

# The wall, a tick at either end, and as much again for a machine that is busy with other things.
MOST_S = LIMIT_MS / 1000 * 1.6


def _spin() -> None:
    while True:
        sum(range(100))


def _stubborn() -> None:
    while True:
        try:
            _spin()
        except Exception:  # noqa: BLE001, S112 - what is tried is whether this swallows it
            continue


def _swallowing() -> None:
    for _ in range(2):
        try:
            _spin()
        except BaseException:  # noqa: BLE001, S112 - as above: the next tick raises again
            continue
    _spin()


def _generators() -> None:
    def nested(depth: int) -> object:
        return (one for one in (nested(depth - 1) if depth else range(10**9)))  # type: ignore[attr-defined]

    list(nested(20))  # type: ignore[call-overload]


HOSTILE = [_spin, _stubborn, _swallowing, _generators]


@pytest.mark.parametrize("work", HOSTILE)
def test_it_ends_whatever_runs(work: Callable[[], None]) -> None:
    """Also where the work catches every exception, or goes on after it."""
    began = time.thread_time()
    with pytest.raises(WallReachedError, match="takes more than 250 ms of CPU"):
        walled(work)
    assert time.thread_time() - began < scaled(MOST_S)


def test_it_holds_on_other_threads() -> None:
    """No signal is handled there; each line is looked at instead."""
    ended: list[float] = []

    def work() -> None:
        began = time.thread_time()
        with pytest.raises(WallReachedError):
            walled(_stubborn)
        ended.append(time.thread_time() - began)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(ended) < MOST_S
    assert len(ended) == len(threads)


def test_what_follows_is_left_alone() -> None:
    """No tick that comes late hits the work after: many short pieces take more than the wall together."""
    began, done = time.thread_time(), 0
    while time.thread_time() - began < 3 * LIMIT_MS / 1000:
        assert walled(sum, range(2_000)) == 1_999_000
        done += 1
    spun = time.thread_time()
    while time.thread_time() - spun < 2 * LIMIT_MS / 1000:
        sum(range(100))
    assert done > 100
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0), "it ticks where nothing runs"


def test_within_another_it_is_the_outer_ones() -> None:
    """What is done in pieces behind one wall takes 250 ms in all, not each."""

    def pieces() -> None:
        while True:
            walled(sum, range(1_000))

    began = time.thread_time()
    with pytest.raises(WallReachedError):
        walled(pieces)
    assert time.thread_time() - began < scaled(MOST_S)


def test_the_cpu_of_other_threads_does_not_count() -> None:
    """The timer counts the process's CPU, the wall only its own thread's."""
    stop = threading.Event()

    def burn() -> None:
        while not stop.is_set():
            sum(range(1_000))

    def work() -> float:
        began = time.thread_time()
        while time.thread_time() - began < LIMIT_MS / 1000 * 0.6:
            sum(range(100))
        return time.thread_time() - began

    threads = [threading.Thread(target=burn) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        assert walled(work) > 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_it_works_in_event_loops_that_handle_signals(run: Callable[[object], object]) -> None:
    """Both loops wake up by the same signals; what awaits beside the work goes on, and a handler is still called."""

    async def main() -> list[str]:
        seen: list[str] = []
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, seen.append, "usr1")
        try:
            for _ in range(2):
                beside = asyncio.create_task(asyncio.sleep(0, "beside"))
                with pytest.raises(WallReachedError):
                    walled(_spin)
                seen.append(await beside)
            signal.raise_signal(signal.SIGUSR1)
            await asyncio.sleep(0.05)
        finally:
            loop.remove_signal_handler(signal.SIGUSR1)
        return seen

    assert run(main()) == ["beside", "beside", "usr1"]


def test_what_c_would_take_is_reserved() -> None:
    """A call that cannot be interrupted is not begun where it would end far behind the wall."""

    def work(spent: float) -> None:
        began = time.thread_time()
        while time.thread_time() - began < spent:
            sum(range(100))
        reserve(0.15)

    walled(work, 0.03)
    with pytest.raises(WallReachedError):
        walled(work, 0.18)


class _Account:
    def __init__(self, seconds: float) -> None:
        self.left = seconds

    def spend(self, seconds: float) -> None:
        self.left -= seconds


def test_a_meter_counts_what_runs_behind_walls() -> None:
    """Once for work within work, also where the wall ended it."""
    account = _Account(LIMIT_MS / 1000 / 2)
    token = METER.set(account)
    try:
        with pytest.raises(WallReachedError):
            walled(walled, _spin)
        assert -MOST_S < account.left < 0
    finally:
        METER.reset(token)


def test_nothing_is_raised_in_a_destructor() -> None:
    """What is raised there reaches nobody but the log: the work is ended behind it."""

    class Slow:
        def __del__(self) -> None:
            until = time.thread_time() + 0.4
            while time.thread_time() < until:
                pass

    def work() -> None:
        Slow()
        while True:
            pass

    with pytest.raises(WallReachedError):
        walled(work)


def test_nothing_is_raised_where_a_weak_collection_tidies_up() -> None:
    """Its callbacks reach nobody but the log either, and would leave a dead entry behind: the work is ended after."""

    class Kept:
        pass

    held = weakref.WeakValueDictionary[int, Kept]()

    def work() -> None:
        while True:
            kept = {n: Kept() for n in range(1_000)}
            held.update(kept)
            kept.clear()

    for _ in range(3):
        with pytest.raises(WallReachedError):
            walled(work)
        gc.collect()
        assert not list(held.valuerefs())


def test_what_a_weak_references_callback_swallows_is_raised_again_in_the_work() -> None:
    """Such a callback cannot be told from the work: what is raised in it is lost, without a word in the log."""

    class Watched:
        pass

    def slow(_gone: object) -> None:
        until = time.thread_time() + 0.4
        while time.thread_time() < until:
            pass

    def work() -> None:
        watched = Watched()
        _reference = weakref.ref(watched, slow)
        del watched
        while True:
            pass

    def elsewhere() -> None:
        sys.unraisablehook = before
        with pytest.raises(WallReachedError):
            walled(work)
        ended.append(True)

    before = sys.unraisablehook.before if isinstance(sys.unraisablehook, Unraisable) else sys.unraisablehook
    ended: list[bool] = []
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert ended
    with pytest.raises(WallReachedError):
        walled(work)
