"""What was read a moment ago and still counts, so that using it costs no query each."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MAX_KEPT: Final = 10_000


class Recent(Generic[K, V]):
    """Values by key, each read again at its next use once it is older than a bound.

    All keys of one call that are too old are read in one question, and once for all who ask at that moment.

    Args:
        read: Reads values; it gives one for every key it is asked for.
        max_age_s: Seconds for which a value counts.
        clock: Seconds, monotonic.
        most: Values to keep, those that were used last.
    """

    def __init__(
        self,
        read: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]],
        max_age_s: float,
        clock: Callable[[], float],
        *,
        most: int = MAX_KEPT,
    ) -> None:
        self._read = read
        self._max_age_s = max_age_s
        self._clock = clock
        self._most = most
        self._known: OrderedDict[K, tuple[V, float]] = OrderedDict()
        self._reading = asyncio.Lock()

    def __len__(self) -> int:
        """Return how many values are kept."""
        return len(self._known)

    async def get(self, keys: Collection[K]) -> dict[K, V]:
        """Return the value of each key, none older than the bound."""
        if self._stale(keys):
            async with self._reading:
                stale = self._stale(keys)
                if stale:
                    await self._renew(stale)
        found = {}
        for key in keys:
            found[key], _ = self._known[key]
            self._known.move_to_end(key)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return found

    def forget(self, key: K) -> None:
        """Read a value again at its next use, however new it is."""
        self._known.pop(key, None)

    def _stale(self, keys: Collection[K]) -> list[K]:
        fresh = self._clock() - self._max_age_s
        return [key for key in keys if key not in self._known or self._known[key][1] <= fresh]

    async def _renew(self, keys: Sequence[K]) -> None:
        at = self._clock()  # before the question: the answer may be as old as that
        for key, value in (await self._read(keys)).items():
            self._known[key] = value, at


class WholeSet(Generic[K, V]):
    """A whole set of values that is read again as one, for all who ask at that moment.

    Args:
        read: Reads the set.
        fresh_s: Seconds for which what is in it counts.
        ask_again_s: Seconds for which what is not in it counts as missing: it may be new, but a caller who makes
            keys up must not make us ask for each.
        clock: Seconds, monotonic.

    Attributes:
        known: The set as it was read last.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[Mapping[K, V]]],
        fresh_s: float,
        ask_again_s: float,
        clock: Callable[[], float],
    ) -> None:
        self.known: Mapping[K, V] = {}
        self._read = read
        self._fresh_s = fresh_s
        self._ask_again_s = ask_again_s
        self._clock = clock
        self._asked: float | None = None
        self._asking = asyncio.Lock()

    async def get(self, find: Callable[[Mapping[K, V]], V | None]) -> V | None:
        """Return what ``find`` finds in the set, which is read again where that is due."""
        if self._due(find):
            async with self._asking:
                if self._due(find):  # or who held the lock has asked
                    self.known = await self._read()
                    self._asked = self._clock()
        return find(self.known)

    def _due(self, find: Callable[[Mapping[K, V]], V | None]) -> bool:
        if self._asked is None:
            return True
        after = self._ask_again_s if find(self.known) is None else self._fresh_s
        return self._clock() - self._asked >= after
