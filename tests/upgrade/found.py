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

# Which executor lets a workflow's executions wait, by setting a timer with the slip that goes on later.
WAITS_AT: Final = {"wait": "executor-workflow", "again": "executor-system"}
_ROWS: Final = """
    SELECT id, extract(epoch FROM (trigger_event->>'time')::timestamptz)::float8,
           extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8, actions_executed
    FROM automation_logs WHERE event_id LIKE %s
"""
_DEAD: Final = "SELECT reason, detail FROM dead_letters"


@dataclass(frozen=True, slots=True)
class Ran:
    """One execution: when its event was made and its row committed, and which role lets it wait, if any does."""

    began: float
    ended: float
    waits_at: str | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One process that was ended, and started with another version's code until it was ready."""

    role: str
    process: str
    code: str
    began: float
    ended: float


@dataclass(slots=True)
class Found:
    """What was found.

    Attributes:
        parts: Of each part of the run: seconds, executions begun in it, and how long those took that do not wait.
        waited_over: By direction and role: slips that one version wrote, and that went on once all of the role's
            processes had the other version's code.
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
                verdict.blame(f"nothing waited while {change}: the delay is shorter than it took")


async def look(database_url: str, job: Job, began: Mapping[str, float], exchanges: Sequence[Exchange]) -> Found:
    """Read the log and the dead letters."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        rows = await (await connection.execute(_ROWS, (f"{job.name}-%",))).fetchall()
        dead = await (await connection.execute(_DEAD)).fetchall()
    waiting = {execution: WAITS_AT.get(name) for execution, name, _, status in job.expected() if status == "success"}
    ran = [Ran(began_at, ended_at, waiting.get(execution)) for execution, began_at, ended_at, _ in rows]
    uncertain = {command_id(row[0], 1, result["step"]) for row in rows for result in row[3] if result.get("uncertain")}
    return Found(
        parts(ran, began), waited_over(ran, exchanges), uncertain, [f"{reason}: {said}" for reason, said in dead]
    )


def parts(ran: Sequence[Ran], began: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """Return the figures of each part, by when events were made; the last name only ends the part before it."""
    found = {}
    for name, following in pairwise(began):
        inside = [one for one in ran if began[name] <= one.began < began[following]]
        took = [one.ended - one.began for one in inside if one.waits_at is None] or [0.0]
        found[name] = {
            "seconds": round(began[following] - began[name], 1),
            "executions": len(inside),
            "p50_s": round(percentile(took, 0.5), 3),
            "slowest_s": round(max(took), 2),
        }
    return found


def waited_over(ran: Sequence[Ran], exchanges: Sequence[Exchange]) -> dict[str, int]:
    """Return how many waited while all processes of the role that lets them wait were exchanged, by role and code."""
    found = {}
    for code in dict.fromkeys(one.code for one in exchanges):
        for role in WAITS_AT.values():
            of_role = [one for one in exchanges if (one.role, one.code) == (role, code)]
            began, ended = min(one.began for one in of_role), max(one.ended for one in of_role)
            waited = sum(one.waits_at == role and one.began < began and one.ended > ended for one in ran)
            found[f"{role} became {code}"] = waited
    return found
