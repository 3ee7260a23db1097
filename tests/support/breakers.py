"""Circuit breakers in memory, for tests of what uses them; they pass the same contract tests as those in Postgres."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

from app.domain.breaker import BreakerState
from app.domain.clock import utc_now
from app.ports import BreakerWatch, Transition


class MemoryBreakers:
    """Implements ``app.ports.BreakerStore``; several workers may share one.

    Attributes:
        states: The breakers, by destination.
        changes: How often one was asked to change.
    """

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self.states: dict[str, BreakerState] = {}
        self.changes = 0
        self._clock = clock
        self._changed = asyncio.Condition()

    async def change(self, destination: str, transition: Transition) -> tuple[BreakerState | None, datetime]:
        """Change a breaker; see :class:`app.ports.BreakerStore`."""
        async with self._changed:
            self.changes += 1
            now = self._clock()
            before = self.states.get(destination) or BreakerState(closed=True, until=now, probes=0)
            after = transition(before, now)
            if after is not None and after != before:
                self.states[destination] = after
                self._changed.notify_all()
            return after, now

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[BreakerWatch]:
        """Follow the breakers."""
        yield _Watch(self, self._changed, self._clock)


class _Watch:
    def __init__(self, store: MemoryBreakers, changed: asyncio.Condition, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._changed = changed
        self._clock = clock
        self._seen: dict[str, BreakerState] = {}

    async def look(self) -> tuple[Mapping[str, BreakerState], datetime]:
        self._seen = dict(self._store.states)
        return {name: state for name, state in self._seen.items() if not state.closed}, self._clock()

    async def changed(self, within: float) -> None:
        async with self._changed:
            try:
                async with asyncio.timeout(within):
                    await self._changed.wait_for(lambda: self._store.states != self._seen)
            except TimeoutError:
                return
