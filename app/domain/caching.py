"""A cache bounded in bytes, of which no owner holds more than a share.

What was used last stays. An owner who puts in more than the share puts out the oldest of their own, so that no owner's
entries push out all the others'.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Final, Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_SHARES: Final = 4


class _Entry(NamedTuple, Generic[V]):
    value: V
    weight: int
    owner: Hashable


class WeighedCache(Generic[K, V]):
    """Keeps values for as long as they fit.

    Args:
        limit: Bytes in all; a value of more than an owner's share is not kept.

    Attributes:
        weight: Bytes of what is kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._share = limit // _SHARES
        self._lock = Lock()
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._owned: dict[Hashable, OrderedDict[K, None]] = {}
        self._weights: dict[Hashable, int] = {}
        self.weight = 0

    def __len__(self) -> int:
        """Return how many values are kept."""
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """Return a value, or None where it is not kept (any more)."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            self._owned[entry.owner].move_to_end(key)
        return entry.value

    def put(self, key: K, value: V, weight: int, owner: Hashable = None) -> None:
        """Keep a value of so many bytes, in place of the one that there is."""
        with self._lock:
            if key in self._entries:
                self._drop(key)
            if weight > self._share:
                return
            self._entries[key] = _Entry(value, weight, owner)
            self._owned.setdefault(owner, OrderedDict())[key] = None
            self._weights[owner] = self._weights.get(owner, 0) + weight
            self.weight += weight
            # What has no owner has no share to keep to.
            while owner is not None and self._weights[owner] > self._share:
                self._drop(next(iter(self._owned[owner])))
            while self.weight > self._limit:
                self._drop(next(iter(self._entries)))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._owned.clear()
            self._weights.clear()
            self.weight = 0

    def _drop(self, key: K) -> None:
        entry = self._entries.pop(key)
        self.weight -= entry.weight
        self._weights[entry.owner] -= entry.weight
        del self._owned[entry.owner][key]
        if not self._owned[entry.owner]:
            del self._owned[entry.owner], self._weights[entry.owner]
