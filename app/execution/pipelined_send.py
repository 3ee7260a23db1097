"""Batches one after the other, in two stages that overlap: while one batch's records go to Kafka, the next is begun.

Only the waiting overlaps. A batch's records are handed to the producer once the batch before it is durable, so a batch
that has to be sent again never comes behind its successor. So it is with the parts of a batch from which much follows:
of those one is on its way and one is made.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Generic, TypeVar

from app.execution.parts import Part
from app.ports.outlet import Outlet

M = TypeVar("M")


class PipelinedSend(Generic[M]):
    """Carries batches out, and acks each when all that follows from it is durable.

    Args:
        process: Carries a batch out; what it yields is sent, part by part. What it raises reaches the caller.
        outlet: Takes the records.
        ack: Called with what of a batch is done for good.
        crash: Ends the process with the error of an outlet that gave up.
    """

    def __init__(
        self,
        process: Callable[[Iterable[M]], AsyncGenerator[Part]],
        *,
        outlet: Outlet,
        ack: Callable[[Sequence[M]], None],
        crash: Callable[[BaseException], Awaitable[None]],
    ) -> None:
        self._process = process
        self._outlet = outlet
        self._ack = ack
        self._crash = crash
        self._sending: asyncio.Task[None] | None = None
        self._error: Exception | None = None

    async def run(self, batch: Iterable[M]) -> None:
        """Carry a batch out; returns when the last of its records are on their way.

        Raises:
            Exception: This batch, or sending the one before it, failed for good.
        """
        async with aclosing(self._process(batch)) as parts:
            async for part in parts:
                await self.finish()
                if part.records:
                    self._sending = asyncio.create_task(self._send(part))
                elif part.done:
                    self._ack(part.done)

    async def finish(self) -> None:
        """Wait until what was handed over is durable.

        Raises:
            Exception: It never will be.
        """
        if self._sending is not None:
            await asyncio.wait((self._sending,))
        if self._error is not None:
            raise self._error

    async def stop(self) -> None:
        """Give up what is still on its way; it is not acked."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)

    async def _send(self, part: Part) -> None:
        try:
            await self._outlet.send_all(part.records)
        except Exception as error:  # noqa: BLE001 - handed on: Kafka failed for good, the process ends
            self._error = error
            await self._crash(error)
        else:
            if part.done:
                self._ack(part.done)
