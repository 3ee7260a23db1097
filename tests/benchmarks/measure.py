"""Reads off Postgres when each row became visible: the commit time of the transaction that wrote it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from app.domain.ids import execution_id
from tests.benchmarks.load import SOURCE, event_id

_COMMITTED = """
SELECT id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM automation_logs
WHERE id = ANY(%s)
"""
_COUNT = "SELECT count(*) FROM automation_logs WHERE id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Sent:
    """One run of the load generator; event ``seq`` was due at ``start + seq / rate`` (all at ``start`` for rate 0)."""

    run: str
    count: int
    rate: float
    start: float
    late_ms: float = 0.0

    def due(self, seq: int) -> float:
        """When event ``seq`` was due, in epoch seconds."""
        return self.start + (seq / self.rate if self.rate else 0.0)

    def ids(self, workflow: UUID) -> list[UUID]:
        """The executions to expect, by ``seq``."""
        return [execution_id(workflow, SOURCE, event_id(self.run, seq)) for seq in range(self.count)]


class Rows:
    """The log of one contender, over ``connection``."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self.connection = connection

    async def count(self, ids: Sequence[UUID]) -> int:
        """Return how many of these executions have a row."""
        found = await (await self.connection.execute(_COUNT, (list(ids),), binary=True)).fetchone()
        return int(found[0]) if found else 0

    async def committed(self, ids: Sequence[UUID]) -> list[float]:
        """Return each execution's commit time in epoch seconds, infinity where there is no row."""
        rows = await (await self.connection.execute(_COMMITTED, (list(ids),), binary=True)).fetchall()
        at = {row[0]: row[1] for row in rows}
        return [at.get(one, math.inf) for one in ids]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile of ``values``; ``share`` is between 0 and 1."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]
