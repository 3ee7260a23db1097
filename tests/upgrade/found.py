"""What the log says of an upgrade: how long executions took in each of its parts, and which waited over a change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

import psycopg

from app.domain.ids import command_id
from tests.benchmarks.measure import percentile
from tests.faults.job import Job
from tests.faults.judge import Verdict

WAITING: Final = ("wait", "again")
# Over which parts something may have waited, and the part before and after.
SPANS: Final = {"upgrade": ("old", "new"), "rollback": ("new", "old again")}
_ROWS: Final = """
    SELECT id, extract(epoch FROM (trigger_event->>'time')::timestamptz)::float8,
           extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8, actions_executed
    FROM automation_logs WHERE event_id LIKE %s
"""
_DEAD: Final = "SELECT reason, detail FROM dead_letters"


@dataclass(frozen=True, slots=True)
class Ran:
    """One execution: when its event was made and its row committed, and whether it waits on its way."""

    began: float
    ended: float
    waits: bool


@dataclass(slots=True)
class Found:
    """What was found.

    Attributes:
        parts: Of each part of the run: seconds, executions begun in it, and how long those took that do not wait.
        waited_over: How many executions waited over the whole of a change.
        uncertain: Commands whose result says that they may have happened twice.
        dead_letters: Why records were given up.
    """

    parts: dict[str, dict[str, Any]]
    waited_over: dict[str, int]
    uncertain: set[UUID]
    dead_letters: list[str]

    def blame(self, verdict: Verdict) -> None:
        """Add what must not be: a record given up, or a run in which nothing waited over the changes."""
        for letter in self.dead_letters:
            verdict.lost += 1
            verdict.blame(f"a dead letter: {letter}")
        for change, count in self.waited_over.items():
            if not count:
                verdict.blame(f"nothing waited over the {change}: the delay is shorter than it took")


async def look(database_url: str, job: Job, began: Mapping[str, float]) -> Found:
    """Read the log and the dead letters."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        rows = await (await connection.execute(_ROWS, (f"{job.name}-%",))).fetchall()
        dead = await (await connection.execute(_DEAD)).fetchall()
    waiting = {execution for execution, name, _, status in job.expected() if name in WAITING and status == "success"}
    ran = [Ran(began_at, ended_at, execution in waiting) for execution, began_at, ended_at, _ in rows]
    uncertain = {command_id(row[0], 1, result["step"]) for row in rows for result in row[3] if result.get("uncertain")}
    return Found(parts(ran, began), waited_over(ran, began), uncertain, [f"{reason}: {said}" for reason, said in dead])


def parts(ran: Sequence[Ran], began: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """Return the figures of each part, by when events were made; the last name only ends the part before it."""
    found = {}
    for name, following in pairwise(began):
        inside = [one for one in ran if began[name] <= one.began < began[following]]
        took = [one.ended - one.began for one in inside if not one.waits] or [0.0]
        found[name] = {
            "seconds": round(began[following] - began[name], 1),
            "executions": len(inside),
            "p50_s": round(percentile(took, 0.5), 3),
            "slowest_s": round(max(took), 2),
        }
    return found


def waited_over(ran: Sequence[Ran], began: Mapping[str, float]) -> dict[str, int]:
    """Return how many began in the part before a change and ended after it."""
    return {
        change: sum(
            one.waits and began[before] <= one.began < began[change] and one.ended > began[after] for one in ran
        )
        for change, (before, after) in SPANS.items()
    }
