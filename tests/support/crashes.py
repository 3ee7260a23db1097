"""Crashes in memory; they pass the same contract tests as those in Postgres."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.domain.errors import SupersededError, UnreachableError
from app.ports import Place, Suspicion


@dataclass
class _Row:
    holder: str
    watched_until: int
    suspicion: Suspicion
    blamed: list[str] = field(default_factory=list)


@dataclass
class CrashStore:
    """What the processes of a consumer group share.

    Attributes:
        rows: By partition.
        newest: The newest process of each instance.
        reachable: False: it does not answer.
    """

    rows: dict[Place, _Row] = field(default_factory=dict)
    newest: dict[str, str] = field(default_factory=dict)
    reachable: bool = True


class MemoryCrashes:
    """Implements ``app.ports.Crashes``; several over one store are several processes, of an instance each or of one.

    Attributes:
        calls: How often the store was asked.
    """

    def __init__(self, store: CrashStore, holder: str, instance: str = "1") -> None:
        self._store = store
        self._holder = holder
        self._instance = instance
        self._began = False
        self.calls = 0

    async def hold(self, frontiers: Mapping[Place, int]) -> Sequence[Suspicion]:
        """Take hold of partitions."""
        self._called()
        if self._began:
            self._take_back()
        else:
            self._store.newest[self._instance], self._began = self._holder, True
        if self._store.newest[self._instance] != self._holder:
            raise SupersededError("a newer process of the instance runs")
        return [one for one in (self._hold(place, frontier) for place, frontier in frontiers.items()) if one.deaths]

    def _hold(self, place: Place, frontier: int) -> Suspicion:
        row = self._store.rows.setdefault(place, _Row("", 0, Suspicion(place, frontier, 0)))
        old = row.suspicion
        died = row.holder not in ("", self._holder)
        forward = frontier >= old.frontier
        same = old.deaths > 0 and forward and frontier < row.watched_until
        alone = old.alone if old.alone and forward and frontier < old.alone[1] else None
        row.suspicion = Suspicion(
            place,
            frontier,
            (old.deaths + 1 if same else 1) if died else old.deaths if same else 0,
            alone,
            old.alone_deaths + died if alone else 0,
            old.error if died or same else "",
            row.watched_until if same and not died else None,
        )
        row.blamed = [*(row.blamed if same else ()), *([row.holder] if died else ())]
        row.holder = self._holder
        return row.suspicion

    def _take_back(self) -> None:
        for row in self._store.rows.values():
            if self._holder in row.blamed:
                row.blamed.remove(self._holder)
                old = row.suspicion
                alone_deaths = max(0, old.alone_deaths - 1)
                row.suspicion = replace(old, deaths=max(0, old.deaths - 1), alone_deaths=alone_deaths)

    async def watch(self, ends: Mapping[Place, int]) -> None:
        """Name the ends."""
        self._called()
        for place, until in ends.items():
            self._store.rows[place].watched_until = until

    async def mark(self, place: Place, first: int, end: int) -> None:
        """Mark records as alone."""
        self._called()
        row = self._store.rows[place]
        if row.suspicion.alone != (first, end):
            row.suspicion = replace(row.suspicion, alone=(first, end), alone_deaths=0, error="")

    async def clear(self, place: Place) -> None:
        """Forget deaths."""
        self._called()
        row = self._store.rows[place]
        row.suspicion = replace(row.suspicion, deaths=0, alone=None, alone_deaths=0, error="")

    async def let_go(self, error: str | None = None) -> None:
        """End the hold, or say of what this process dies."""
        self._called()
        if error is None:
            self._take_back()
        for row in self._store.rows.values():
            if row.holder == self._holder and error is None:
                row.holder = ""
            elif row.holder == self._holder:
                row.suspicion = replace(row.suspicion, error=error or "")

    def _called(self) -> None:
        self.calls += 1
        if not self._store.reachable:
            raise UnreachableError("Postgres does not answer (told so by the test)")
