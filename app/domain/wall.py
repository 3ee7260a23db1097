"""The wall: a piece of work ends after 250 ms of CPU, for whatever reason it takes so long.

On the main thread a timer signal looks at what runs, every 10 ms of CPU, for as long as anything runs that has a wall;
a tick costs 2 us, and putting a wall up a tenth of that. Its ticks are also what is counted of the CPU that goes into
such work, for nothing: see ``ticked``. On another thread, where no signal is handled, each line is
looked at instead. What is raised is no ``Exception``, so that nothing in the work swallows it, and it is raised again
at the next tick if something does. A single call into C is not interrupted: what is given to such is bounded by its
size. See docs/decisions/cost-wall.md.
"""

from __future__ import annotations

import _weakrefset
import atexit
import gc
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import get_ident
from types import FrameType
from typing import Any, Final, Protocol, TypeVar

from app.domain.errors import HeadraceError

LIMIT_MS: Final = 250
MESSAGE: Final = f"takes more than {LIMIT_MS} ms of CPU"
_TICK: Final = 0.01
# Were the timer set anew by each piece, its ticks would not fall on short ones as often as they should.
_IDLE_TICKS: Final = 20
# The first tick starts the clock, up to a tick late, and the last one is up to a tick late too.
_LIMIT: Final = LIMIT_MS / 1000 - _TICK

R = TypeVar("R")


class WallReachedError(HeadraceError):
    """A piece of work took more than its share of CPU and was ended."""

    def __init__(self) -> None:
        super().__init__(MESSAGE)


class Meter(Protocol):
    """Counts the CPU of what runs behind walls, for one owner or caller."""

    def spend(self, seconds: float) -> None:
        """Count seconds of CPU."""


METER: Final[ContextVar[Meter | None]] = ContextVar("cpu_meter", default=None)


class _Stop(BaseException):
    """Ends the work; not to be caught by anything in it."""


class _Watch:
    """What runs on the main thread behind a wall, if anything.

    Attributes:
        on: Whether anything runs behind a wall.
        began: The thread's CPU clock when the first tick saw it.
        ticking: Whether the timer is set.
        ticks: How many found something.
        limit: Seconds of CPU, from the first tick on, after which what runs is ended.
    """

    __slots__ = ("_idle", "began", "limit", "on", "ticking", "ticks")

    def __init__(self) -> None:
        self.on = False
        self.began = 0.0
        self.ticking = False
        self.ticks = 0
        self.limit = _LIMIT
        self._idle = 0

    def tick(self, _signal: int, frame: FrameType | None) -> None:
        """Look at what runs; end it where it is over its time; end the ticking where nothing has run for a while."""
        if not self.on:
            self._idle += 1
            if self._idle >= _IDLE_TICKS:
                self.rest()
            return
        self._idle = 0
        self.ticks += 1
        now = time.thread_time()
        if not self.began:
            self.began = now
        elif now - self.began >= self.limit and not _collects(frame):
            raise _Stop

    def end_past(self, seconds: float) -> None:
        """End what runs if it has taken more than so long."""
        if time.thread_time() - self.began >= seconds:
            raise _Stop

    def start(self) -> None:
        """Set the timer. Another user of the signal, such as a profiler, loses it."""
        if signal.getsignal(signal.SIGPROF) != self.tick:
            signal.signal(signal.SIGPROF, self.tick)
            signal.siginterrupt(signal.SIGPROF, False)
        _keep_out_of_the_log()
        signal.setitimer(signal.ITIMER_PROF, _TICK, _TICK)
        self.ticking = True

    def rest(self) -> None:
        """End the ticking."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        self.ticking = False


class Unraisable:
    """Keeps a stop that could not be raised out of the log: the next look raises it again, in the work itself.

    Attributes:
        before: The hook that was there, which is told of all else.
    """

    def __init__(self, before: Callable[[sys.UnraisableHookArgs], object]) -> None:
        self.before = before

    def __call__(self, told: sys.UnraisableHookArgs, /) -> None:
        """Pass all else on. Python ends the tracing of a thread whose trace function raises: it is set again."""
        if told.exc_type is not _Stop:
            self.before(told)
        elif getattr(_thread, "on", False):
            sys.settrace(_thread.look)


def _keep_out_of_the_log() -> None:
    if not isinstance(sys.unraisablehook, Unraisable):
        sys.unraisablehook = Unraisable(sys.unraisablehook)


# The standard library's weak collections tidy up in callbacks of these files; a stop there would leave a dead entry.
_WEAK_FILES: Final = frozenset({weakref.__file__, _weakrefset.__file__})


def _collects(frame: FrameType | None) -> bool:
    """Whether this is a callback of the garbage collector, a weak collection's or a destructor: it is not to be ended.

    What is raised there does not reach the work. Callbacks of others' own weak references cannot be told from the
    work; for what is raised in them see ``Unraisable``.
    """
    if frame is not None and any(getattr(one, "__code__", None) is frame.f_code for one in gc.callbacks):
        return True
    while frame is not None:
        if frame.f_code.co_name == "__del__" or frame.f_code.co_filename in _WEAK_FILES:
            return True
        frame = frame.f_back
    return False


_watch: Final = _Watch()
_thread: Final = threading.local()
_MAIN: Final = threading.main_thread().ident
# A tick after the interpreter has given its handlers up would end the process.
atexit.register(lambda: _watch.rest() if _watch.ticking else None)


def walled(work: Callable[..., R], *args: Any) -> R:
    """Do a piece of work that never awaits; within another such piece it is that one's wall that holds.

    Raises:
        WallReachedError: It takes more than 250 ms of CPU.
    """
    if _watch.on or get_ident() != _MAIN:
        return _elsewhere(work, *args)
    meter = METER.get()
    if meter is not None:
        began = time.thread_time()
    try:
        try:
            _watch.began = 0.0
            _watch.on = True
            if not _watch.ticking:
                _watch.start()
            return work(*args)
        finally:
            _watch.on = False
    except _Stop:
        _watch.on = False  # it may have been raised before the line above
        raise WallReachedError from None
    finally:
        if meter is not None:
            meter.spend(time.thread_time() - began)


@contextmanager
def lowered(seconds: float) -> Iterator[None]:
    """Lower the wall to so many seconds of CPU for what is begun in the block, on the main thread."""
    if get_ident() != _MAIN:
        yield
        return
    _watch.limit = max(seconds - _TICK, _TICK)
    try:
        yield
    finally:
        _watch.limit = _LIMIT


def ticked() -> float:
    """Return the seconds of CPU gone into walled work of the main thread, in steps of 10 ms; right on average.

    What is asked before and after pieces that never await says what those took, or rather what they were seen to take.
    """
    return _watch.ticks * _TICK


def reserve(seconds: float) -> None:
    """Before a call into C that takes about so long and cannot be interrupted: end the work now if that is too long."""
    if _watch.on and get_ident() == _MAIN and _watch.began:
        _watch.end_past(_watch.limit - seconds)


def _elsewhere(work: Callable[..., R], *args: Any) -> R:
    """Within another piece, or on another thread than the main one."""
    if get_ident() == _MAIN or getattr(_thread, "on", False):
        return work(*args)
    _thread.on = True
    try:
        return _traced(work, *args)
    except _Stop:
        raise WallReachedError from None
    finally:
        _thread.on = False


def _traced(work: Callable[..., R], *args: Any) -> R:
    _keep_out_of_the_log()
    ends = time.thread_time() + LIMIT_MS / 1000

    def look(frame: FrameType, _event: str, _arg: Any) -> Any:
        if time.thread_time() > ends and not _collects(frame):
            raise _Stop
        return look

    _thread.look = look
    before = sys.gettrace()
    sys.settrace(look)
    try:
        return work(*args)
    finally:
        sys.settrace(before)
