"""Wait with a deadline: what tests use where others would sleep.

Every failure says what was waited for, how long, and what was seen. The deadlines are scaled: see ``deadlines.py``.
"""

import asyncio
import linecache
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from inspect import isawaitable
from typing import Any, TypeVar, overload

from tests.support.deadlines import Deadline, scaled

T = TypeVar("T")
_TAIL = 4000


@overload
async def eventually(
    condition: Callable[[], Awaitable[T]], *, within: float = 10.0, every: float = 0.02, what: str = ""
) -> T: ...


@overload
async def eventually(condition: Callable[[], T], *, within: float = 10.0, every: float = 0.02, what: str = "") -> T: ...


async def eventually(condition: Callable[[], Any], *, within: float = 10.0, every: float = 0.02, what: str = "") -> Any:
    """Poll ``condition`` until it returns something truthy, and return that.

    Args:
        condition: Called (and awaited if need be) at once and then every ``every`` seconds.
        within: Deadline in seconds, to be scaled.
        every: Seconds between two looks.
        what: Words for the failure; without them the line of the condition.

    Raises:
        AssertionError: The deadline passed; the message carries the last value seen.
    """
    deadline = Deadline(within)
    while True:
        value = condition()
        seen = await value if isawaitable(value) else value
        if seen:
            return seen
        if deadline.left() <= 0:
            raise AssertionError(f"{deadline} for {what or written(condition)}; last seen: {seen!r}")
        await asyncio.sleep(every)


def written(condition: Callable[..., Any]) -> str:
    """Return where a condition is written, and its line there."""
    while isinstance(condition, partial):
        condition = condition.func
    code = getattr(condition, "__code__", None)
    if code is None:
        return repr(condition)
    line = linecache.getline(code.co_filename, code.co_firstlineno).strip()
    return f"{line} ({code.co_filename}:{code.co_firstlineno})"


async def in_time(coming: Awaitable[T], within: float, *, what: str, saw: Callable[[], Any] | None = None) -> T:
    """Await ``coming`` until the deadline, and return what it returns; cancelled at the deadline.

    Args:
        coming: A coroutine, task or future.
        within: Deadline in seconds, to be scaled.
        what: Words for the failure.
        saw: Says in the failure what there was instead.

    Raises:
        AssertionError: The deadline passed.
    """
    deadline, task = Deadline(within), asyncio.ensure_future(coming)
    try:
        while not task.done() and (left := deadline.left()) > 0:
            await asyncio.wait({task}, timeout=left)
        if task.done():
            return await task
    finally:
        task.cancel()
    raise AssertionError(f"{deadline} for {what}{_seen(saw)}")


@asynccontextmanager
async def limit(within: float, *, what: str, saw: Callable[[], Any] | None = None) -> AsyncIterator[None]:
    """End the block at the deadline.

    Raises:
        AssertionError: The deadline passed.
    """
    deadline, timeout = Deadline(within), asyncio.timeout(scaled(within))
    try:
        async with timeout:
            yield
    except TimeoutError:
        if not timeout.expired():
            raise
        raise AssertionError(f"{deadline} for {what}{_seen(saw)}") from None


def _seen(saw: Callable[[], Any] | None) -> str:
    return "" if saw is None else f"; seen: {saw()!s}"


def finished(
    command: Sequence[str], *, within: float, **options: Mapping[str, str] | str | None
) -> subprocess.CompletedProcess[str]:
    """Run a program until its end, and return its code and output.

    Args:
        command: Program and arguments.
        within: Deadline in seconds, to be scaled.
        options: As ``subprocess.Popen`` takes them, such as ``env`` and ``cwd``.

    Raises:
        AssertionError: It had not ended; it is killed, and the message has the end of its output.
    """
    deadline, pipe = Deadline(within), subprocess.PIPE
    with subprocess.Popen(command, text=True, stdout=pipe, stderr=pipe, **options) as process:  # type: ignore[call-overload] # noqa: S603 - our own commands
        while (left := deadline.left()) > 0:
            try:
                out, err = process.communicate(timeout=left)
            except subprocess.TimeoutExpired:
                continue
            return subprocess.CompletedProcess(command, process.returncode, out, err)
        process.kill()
        out, err = process.communicate()
    said = f"{out[-_TAIL:]}{err[-_TAIL:]}"
    raise AssertionError(f"{deadline} for the end of {' '.join(command)}; its output so far: {said or 'none'}")
