"""Turns between owners: of those that have something ready one after the other, of each the oldest first."""

import heapq
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")
_Ready = tuple[float, int, T]


class Turns(Generic[T]):
    """What is ready, by owner; an owner with a thousand things ready has no more turns than one with two."""

    def __init__(self) -> None:
        self._lines: dict[bytes | None, list[_Ready[T]]] = {}
        self._next: deque[bytes | None] = deque()
        self._count = 0

    def __len__(self) -> int:
        """Return how much is ready."""
        return self._count

    def push(self, owner: bytes | None, ready: _Ready[T]) -> None:
        """Add something: since when it waits, a number that no other has, and what it is."""
        line = self._lines.get(owner)
        if line is None:
            self._lines[owner] = [ready]
            self._next.append(owner)
        else:
            heapq.heappush(line, ready)
        self._count += 1

    def peek(self) -> _Ready[T]:
        """Return what is next.

        Raises:
            IndexError: Nothing is ready.
        """
        return self._lines[self._next[0]][0]

    def pop(self) -> T:
        """Take what is next; the others' turns come before its owner's.

        Raises:
            IndexError: Nothing is ready.
        """
        owner = self._next[0]
        line = self._lines[owner]
        ready = heapq.heappop(line)
        self._next.popleft()
        if line:
            self._next.append(owner)
        else:
            del self._lines[owner]
        self._count -= 1
        return ready[2]
