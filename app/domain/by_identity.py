"""What is known of objects, by which object it is: for what is shared, costly to find out, and cannot be a key."""

from typing import Generic, TypeVar
from weakref import ref

K = TypeVar("K")
V = TypeVar("V")


class ByIdentity(Generic[K, V]):
    """Keeps a value for each object for as long as that is in memory; a copy of an object is another object."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[ref[K], V]] = {}

    def __len__(self) -> int:
        """Return of how many objects something is known."""
        return len(self._known)

    def get(self, thing: K) -> V | None:
        """Return what is known of an object, if anything is."""
        known = self._known.get(id(thing))
        return None if known is None else known[1]

    def put(self, thing: K, value: V) -> V:
        """Keep a value for an object, and return it."""
        place = id(thing)
        # Called before its memory can be another's.
        self._known[place] = ref(thing, lambda _: self._known.pop(place, None)), value
        return value
