"""``make scaling``: what it costs a role to grow and to shrink, on a stack that works; ``build/scaling.json``.

Events come at a steady rate, each of an entity of its own, while a worker of a role joins, leaves for good (SIGTERM,
as a container that is scaled away), or is killed and never comes back. The figure is how long the slowest execution of
each period took from when its event was due to its row's commit, and how many took longer than a second.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg

from app.domain.ids import execution_id
from tests.benchmarks.progress import say
from tests.support.broker import remove_topics
from tests.support.servers import Servers, harness_home, servers
from tests.support.stack import Stack
from tests.support.waiting import eventually

ROLES: Final = ("matcher", "executor-crm", "sink")
_RATE: Final = 40
Periods = Sequence[tuple[str, float]]
_PERIODS: Final[Periods] = (
    ("quiet", 10.0),
    ("joins", 15.0),
    ("leaves", 15.0),
    ("joins again", 15.0),
    ("killed for good", 75.0),
)
_LATE_S: Final = 1.0
_COMMITTED: Final = (
    "SELECT id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM automation_logs WHERE id = ANY(%s)"
)


async def _leave(stack: Stack, role: str) -> None:
    await stack.worker(role, "2").stop()


def _die_and_come_back(stack: Stack, role: str) -> None:
    worker = stack.worker(role, "2")
    worker.kill()
    worker.start()


# What happens to a role at the beginning of a period.
_CHANGES: Final[Mapping[str, Callable[[Stack, str], Any]]] = {
    "quiet": lambda _, __: None,
    "joins": lambda stack, role: stack.add(role),
    "leaves": lambda stack, role: asyncio.ensure_future(_leave(stack, role)),
    "joins again": lambda stack, role: stack.worker(role, "2").start(),
    "killed, comes back": _die_and_come_back,
    "killed for good": lambda stack, role: stack.worker(role, "2").kill(),
}


class Load:
    """Events at a steady rate, and when each was due."""

    def __init__(self, stack: Stack, workflow: UUID, kind: str) -> None:
        self._stack = stack
        self._workflow = workflow
        self._kind = kind
        self.due: dict[UUID, float] = {}

    async def send(self, seconds: float) -> list[UUID]:
        """Send for so long; returns the executions."""
        sent: list[UUID] = []
        began = time.time()
        for number in range(int(seconds * _RATE)):
            due = began + number / _RATE
            await asyncio.sleep(max(0.0, due - time.time()))
            key = uuid4().hex
            data = {"customer": {"id": key}}
            event = {
                "specversion": "1.0",
                "id": key,
                "source": "/scaling",
                "type": self._kind,
                "subject": key,
                "data": data,
            }
            await self._stack.emitter.emit(event)
            run = execution_id(self._workflow, "/scaling", key)
            self.due[run] = due
            sent.append(run)
        return sent


async def scale(on: Servers, role: str, periods: Periods = _PERIODS) -> dict[str, Any]:
    """Let one role grow and shrink; returns the figures by period.

    Args:
        on: Broker and Postgres.
        role: Which.
        periods: What happens, one after the other, and for how long events come then.
    """
    prefix, kind = f"s{uuid4().hex[:8]}.", f"custom.scaling-{uuid4().hex[:8]}"
    database = on.fresh_database("scaling")
    try:
        async with Stack(on.bootstrap, database, prefix, on.home / role) as stack:
            actions = [{"type": "apply_tag", "order": 1, "config": {"tag": "seen"}}]
            workflow = await stack.api.create_workflow({"name": kind, "trigger": {"type": kind}, "actions": actions})
            await stack.settled()
            load = Load(stack, workflow, kind)
            sent = {}
            for name, seconds in periods:
                say(f"{role}: {name}")
                changed = _CHANGES[name](stack, role)
                sent[name] = await load.send(seconds)
                if isinstance(changed, asyncio.Future):
                    await changed
                # What waits as a period ends would wait for the next one's change as well, and be told of this one.
                await _committed(database, load)
            return await _figures(database, load, sent)
    finally:
        await remove_topics(on.bootstrap, prefix)


async def _committed(database: str, load: Load) -> dict[UUID, float]:
    """Wait for the rows of all executions, and return when each was committed."""
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:

        async def committed() -> dict[UUID, float]:
            rows = await (await connection.execute(_COMMITTED, (list(load.due),))).fetchall()
            return {run: float(at) for run, at in rows}

        async def all_there() -> bool:
            return len(await committed()) == len(load.due)

        await eventually(all_there, within=120, every=1.0, what="all rows")
        return await committed()


async def _figures(database: str, load: Load, periods: dict[str, list[UUID]]) -> dict[str, Any]:
    at = await _committed(database, load)
    took = {name: [at[run] - load.due[run] for run in runs] for name, runs in periods.items()}
    return {
        name: {"slowest_s": round(max(each), 2), "over_a_second": sum(one > _LATE_S for one in each), "of": len(each)}
        for name, each in took.items()
    }


def main() -> None:
    """Scale each role, one after the other; write and say what came of it."""
    path = Path("build/scaling.json")
    path.parent.mkdir(exist_ok=True)
    found: dict[str, Any] = {}
    with servers(harness_home("scaling")) as on:
        on.stamp_commits()
        for role in sys.argv[1:] or ROLES:
            found[role] = asyncio.run(scale(on, role))
            path.write_text(json.dumps(found, indent=2))
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
