"""Shares: what one owner's conditions and templates take of a process's CPU is bounded in all.

A wall bounds one try, and penalties what comes to it; what ends just below it, again and again, meets neither. So the
CPU that goes into an owner's conditions and templates is counted, and who is over their share waits or is turned away.
What takes long keeps all others waiting meanwhile, so it counts with the square of its length: pieces of 200 ms
come once a minute, which a p99 of the others does not see. One tick of the CPU's clock may have fallen on anything, so
that what is short is counted only where ticks fall on it again and again, on average for several ms a time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final
from uuid import UUID

SHARE: Final = 0.25
BURST_S: Final = 1.0
LONGEST_WAIT_S: Final = 60.0
LONGEST_LINE_S: Final = 600.0
SAID: Final = "the workflow's owner has taken their share of CPU for conditions and templates"
_MOST: Final = 10_000
# The clock of the CPU ticks each 10 ms. One tick may have fallen on a piece of microseconds: of what two or more have
# fallen on it is sure that it was long, and only that is counted. An honest owner's many short pieces are not.
# Between one tick and two: a difference of two floats that stand for two ticks may be a little less than them.
LONG_S: Final = 0.015
_REMEMBERED_S: Final = 60.0
# A piece on which a tick has fallen is watched for so many times: that much a time, seen in so many ticks, is dear.
_WATCHED: Final = 200
_DEAR_EACH_S: Final = 0.004
_SEEN_S: Final = 0.095
_SHORT_S: Final = 0.01
_DEAR_S: Final = 0.0024


def counted(seconds: float) -> float:
    """Return what a piece that took so long counts for."""
    return seconds + max(0.0, seconds - _SHORT_S) ** 2 / _DEAR_S


@dataclass(slots=True)
class _Account:
    """What one owner has taken.

    Attributes:
        owed: Seconds of CPU that are owed.
        at: The time as of which they are owed.
        last: What the last piece counted for.
        line: Until when those that wait in line will have had their turns.
    """

    owed: float
    at: float
    last: float
    line: float


@dataclass(slots=True)
class _Watch:
    """How often a piece was done since a tick first fell on it, and the seconds of the ticks since.

    Attributes:
        times: How often the piece was done since then.
        seconds: Seconds of CPU that fell on it, counted in ticks.
    """

    times: int = 0
    seconds: float = 0.0


class Shares:
    """Seconds of CPU that each owner has taken, paid off at the share's rate; bounded in memory.

    Args:
        clock: Seconds, monotonic.
        share: The part of a core that an owner may take.
        burst: Seconds that an owner may take at once.
        most: Owners to remember, those that took some last.
    """

    def __init__(
        self,
        clock: Callable[[], float] = monotonic,
        *,
        share: float = SHARE,
        burst: float = BURST_S,
        most: int = _MOST,
    ) -> None:
        self._clock = clock
        self._share = share
        self._burst = burst
        self._most = most
        self._accounts: OrderedDict[UUID, _Account] = OrderedDict()
        self._long: OrderedDict[UUID, float] = OrderedDict()
        self._watched: OrderedDict[UUID, _Watch] = OrderedDict()

    def __bool__(self) -> bool:
        """Whether any owner has taken any: where none has, there is nothing to ask."""
        return bool(self._accounts)

    def __len__(self) -> int:
        """Return how many owners are remembered."""
        return len(self._accounts)

    def note(self, owner: UUID, piece: UUID, seconds: float) -> None:
        """Count what a piece of an owner's took, 0 as well, if that is surely much; and remember it for a minute.

        Much is what took long, or what takes several ms on average of many times.
        """
        if seconds >= LONG_S:
            self.take(owner, seconds)
            self._remember(piece)
        elif piece in self._watched:
            self._watch(owner, piece, self._watched[piece], seconds)
        elif seconds:
            self._watched[piece] = _Watch()
            if len(self._watched) > self._most:
                self._watched.popitem(last=False)

    def _watch(self, owner: UUID, piece: UUID, watch: _Watch, seconds: float) -> None:
        watch.times += 1
        watch.seconds += seconds
        if watch.seconds >= _SEEN_S and watch.seconds >= _DEAR_EACH_S * watch.times:
            self._add(owner, watch.seconds, watch.seconds / watch.times)
            self._remember(piece)
            self._watched[piece] = _Watch()
        elif watch.times >= _WATCHED:
            del self._watched[piece]

    def _remember(self, piece: UUID) -> None:
        self._long[piece] = self._clock() + _REMEMBERED_S
        self._long.move_to_end(piece)
        if len(self._long) > self._most:
            self._long.popitem(last=False)

    def watches(self, piece: UUID) -> bool:
        """Whether what the piece takes is to be noted, 0 as well."""
        return bool(self._watched) and piece in self._watched

    def refuses(self, owner: UUID, piece: UUID) -> bool:
        """Tell whether a piece must not run now: it was long itself, and its owner is over their share.

        What is short is never refused: nothing would be gained, and a run would be lost.
        """
        return self._long.get(piece, 0.0) > self._clock() and self.wait(owner) > 0

    def take(self, owner: UUID, seconds: float) -> None:
        """Count what one piece of an owner's took."""
        self._add(owner, counted(seconds), counted(seconds))

    def _add(self, owner: UUID, amount: float, piece: float) -> None:
        now = self._clock()
        account = self._account(owner, now) or _Account(0.0, now, 0.0, now)
        account.owed = min(self._burst + LONGEST_WAIT_S * self._share, account.owed + amount)
        account.last = piece
        self._accounts[owner] = account
        self._accounts.move_to_end(owner)
        if len(self._accounts) > self._most:
            self._accounts.popitem(last=False)

    def wait(self, owner: UUID) -> float:
        """Return in how many seconds the owner may take more; 0: now."""
        account = self._account(owner, self._clock())
        return max(0.0, account.owed - self._burst) / self._share if account is not None else 0.0

    def line_up(self, owner: UUID, *, again: bool = False) -> float:
        """Return in how many seconds a piece may have its turn, behind those that wait already; 0: now.

        Args:
            owner: Whose piece it is.
            again: It has waited for its turn: only if there is nothing left for it does it wait anew.
        """
        now = self._clock()
        account, wait = self._account(owner, now), self.wait(owner)
        if account is None or not (wait or (account.line > now and not again)):
            return 0.0
        turn = max(account.line, now + wait)
        account.line = min(turn + account.last / self._share, now + LONGEST_LINE_S)
        return turn - now

    def _account(self, owner: UUID, now: float) -> _Account | None:
        account = self._accounts.get(owner)
        if account is None:
            return None
        account.owed = max(0.0, account.owed - (now - account.at) * self._share)
        account.at = now
        if not account.owed and account.line <= now:
            del self._accounts[owner]
            return None
        return account
