"""A process of the simulation: it can be killed, and frozen, at any of its calls to the outside."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from tests.simulation.chaos import Chaos

T = TypeVar("T")


class Process:
    """What is true of a whole process.

    A killed process is one whose calls never return: nothing that it holds in memory does anything from then on, and
    none of its clean-up runs, as after ``kill -9``. A frozen one goes on where it was (SIGSTOP, SIGCONT).

    Args:
        name: Role and number.
        chaos: The seed's choices.

    Attributes:
        moment: Set when something outside was changed by it, and when it is about to store that.
    """

    def __init__(self, name: str, chaos: Chaos) -> None:
        self.name = name
        self.chaos = chaos
        self.alive = True
        self.moment = asyncio.Event()
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._tasks: list[asyncio.Task[Any]] = []
        self._after_death: list[Callable[[], None]] = []

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something as part of the process."""
        task = asyncio.ensure_future(work)
        self._tasks.append(task)
        return task

    def on_death(self, call: Callable[[], None]) -> None:
        """Have what the outside does when a connection of the process ends done then."""
        self._after_death.append(call)

    def kill(self) -> None:
        """End it at once."""
        self.alive = False
        for call in self._after_death:
            call()

    def freeze(self) -> None:
        """Stop it where it is."""
        self._thawed.clear()

    def thaw(self) -> None:
        """Let it go on."""
        self._thawed.set()

    @property
    def running(self) -> bool:
        """Whether it is neither dead nor stopped."""
        return self.alive and self._thawed.is_set()

    async def gate(self) -> None:
        """Go on if the process does."""
        await self._thawed.wait()
        if not self.alive:
            if self.chaos.over:
                raise asyncio.CancelledError
            await self.chaos.never()

    async def sleep(self, seconds: float) -> None:
        """Sleep as a thing of the process."""
        await asyncio.sleep(seconds)
        await self.gate()

    async def call(self, does: Callable[[], Awaitable[T]], *, repeats: bool = False) -> T:
        """Call something outside: it takes time, and the process may end before it, or before its answer is here.

        Args:
            does: The call.
            repeats: Whether the adapter asks again where the connection is lost, before or after it was carried out.
        """
        while True:
            await self.gate()
            await self.chaos.delay()
            await self.gate()
            if repeats and self.chaos.happens():
                self.chaos.tell(f"{self.name}: connection lost before a call")
                continue
            answer = await does()
            await self.chaos.delay()
            await self.gate()
            if repeats and self.chaos.happens():
                self.chaos.tell(f"{self.name}: answer of a call lost")
                continue
            return answer
