"""What a worker opens once and closes at its end: connections, on the worker's own event loop."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar

T = TypeVar("T")


class Lifespan(Generic[T]):
    """Opens a role's parts at the first use and closes them when the app has stopped reading.

    Agents start side by side; the first to ask opens, the others wait for it.
    """

    def __init__(self, make: Callable[[], AbstractAsyncContextManager[T]]) -> None:
        self._make = make
        self._closing = asyncio.Event()
        self._closed: asyncio.Task[None] | None = None
        self._parts: asyncio.Future[T] | None = None

    async def get(self) -> T:
        """Return the open parts.

        Raises:
            Exception: What opening raised, in every caller.
        """
        if self._parts is None:
            self._parts = asyncio.get_running_loop().create_future()
            self._closed = asyncio.create_task(self._hold(self._parts))
        return await asyncio.shield(self._parts)

    async def _hold(self, parts: asyncio.Future[T]) -> None:
        # One task enters and leaves the context: cancel scopes and pools insist on that.
        try:
            async with self._make() as opened:
                parts.set_result(opened)
                await self._closing.wait()
        except Exception as error:
            if parts.done():
                raise
            parts.set_exception(error)

    async def close(self) -> None:
        """Close what was opened; a second call does nothing."""
        self._closing.set()
        if self._closed is not None:
            await self._closed
