"""Wait for a condition with a deadline: what tests use where others would sleep."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, TypeVar, overload

T = TypeVar("T")


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
        within: Deadline in seconds.
        every: Seconds between two looks.
        what: Words for the failure.

    Raises:
        AssertionError: The deadline passed; the message carries the last value seen.
    """
    deadline = time.monotonic() + within
    while True:
        value = condition()
        seen = await value if isawaitable(value) else value
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what or condition!r}; last seen {seen!r}")
        await asyncio.sleep(every)
