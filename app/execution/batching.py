"""Micro-batching: many callers, one round trip. Batches by what has arrived, never by the clock."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.domain.log_context import about_nothing
from app.execution.guard import in_halves

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Failed:
    """Stands for the result of an item that failed."""

    error: Exception


class Batcher(Generic[T, R]):
    """Collects items while a batch is under way and runs them as the next one.

    Args:
        run: Handles a batch and returns one result per item, in order; safe to repeat. Where it fails the batch is run
            in halves, so that an error reaches only the callers whose items are at fault.
        max_size: Most items in one batch.
    """

    def __init__(self, run: Callable[[Sequence[T]], Awaitable[Sequence[R]]], *, max_size: int = 256) -> None:
        self._run = run
        self._max_size = max_size
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._runner: asyncio.Task[None] | None = None

    async def do(self, item: T) -> R:
        """Hand in one item and wait for its result."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._runner is None:
            self._runner = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        about_nothing()  # this task is the first caller's, its batches are everybody's
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._max_size], self._waiting[self._max_size :]
                await self._run_one(batch)
        finally:
            self._runner = None

    async def _run_one(self, batch: list[tuple[T, asyncio.Future[R]]]) -> None:
        items = [item for item, _ in batch]
        try:
            results = await in_halves(self._run_whole, items, lambda _, error: [Failed(error)])
        except Exception as error:  # noqa: BLE001 - it is raised again in every caller
            results = [Failed(error)] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Failed):
                future.set_exception(result.error)
            else:
                future.set_result(result)

    async def _run_whole(self, items: Sequence[T]) -> Sequence[R | Failed]:
        results = await self._run(items)
        if len(results) != len(items):
            raise TypeError(f"{len(items)} items had {len(results)} results")
        return results
