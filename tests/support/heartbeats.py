"""Heartbeats in memory; they pass the same contract tests as those in Postgres."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.domain.errors import UnreachableError
from app.ports.heartbeats import RECENT, Heartbeat, Process


class MemoryHeartbeats:
    """Implements ``app.ports.heartbeats.Heartbeats``.

    Attributes:
        reachable: False: it does not answer.
        later: How much later it is than the clock says.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Heartbeat] = {}
        self._starts: dict[tuple[str, str], set[datetime]] = {}
        self._seen: dict[tuple[str, str], datetime] = {}
        self.reachable = True
        self.later = timedelta(0)

    async def beat(self, process: Process, problems: Mapping[str, str], figures: Mapping[str, float]) -> int:
        """Keep the row."""
        self._called()
        key = process.role, process.instance
        known = self._starts.setdefault(key, set()) | {process.started_at}
        self._starts[key] = {start for start in known if start > self._now() - RECENT}
        self._seen[key] = self._now()
        self._rows[key] = Heartbeat(process, 0.0, dict(problems), len(self._starts[key]), dict(figures))
        return len(self._starts[key])

    async def stop(self, process: Process) -> None:
        """Mark the row."""
        self._called()
        key = process.role, process.instance
        if key in self._rows and self._rows[key].process.started_at == process.started_at:
            self._starts[key].discard(process.started_at)
            starts = len(self._starts[key])
            self._rows[key] = replace(self._rows[key], stopped=True, problems={}, starts=starts)

    async def all(self) -> Sequence[Heartbeat]:
        """Return every row."""
        self._called()
        return [
            replace(row, age_s=(self._now() - self._seen[key]).total_seconds())
            for key, row in sorted(self._rows.items())
        ]

    async def close(self) -> None:
        """Nothing is open."""

    def _called(self) -> None:
        if not self.reachable:
            raise UnreachableError("Postgres does not answer (told so by the test)")

    def _now(self) -> datetime:
        return datetime.now(UTC) + self.later
