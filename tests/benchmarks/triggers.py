"""``python -m tests.benchmarks.triggers``: 1,000 triggers to ``POST /events`` at once, ten times over.

Every one must be accepted, executed and in the log, with the limits as they are by default; and no process may have
grown from the third round on: until then code is loaded and pools fill. Prints each round, writes
``build/triggers.json``.
"""

import argparse
import asyncio
import sys
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
import psutil
import psycopg

from app.admin.auth import mint_token
from app.domain.ids import execution_id
from tests.benchmarks.progress import say
from tests.integration.site import event, new_prefix
from tests.support.broker import remove_topics
from tests.support.servers import harness_home, servers
from tests.support.stack import Stack
from tests.support.triggers import trigger_at_once
from tests.support.waiting import eventually

AT_ONCE: Final = 1000
SETTLED: Final = 3  # rounds after which nothing is to grow any more
MAY_GROW_MB: Final = 8.0
_MIB: Final = 1024 * 1024
_DEFAULTS: Final = {"RATE_LIMIT_PER_MINUTE": "100"}
_BUILD: Final = Path(__file__).resolve().parents[2] / "build"
_DONE: Final = "SELECT status, count(*) FROM automation_logs WHERE id = ANY(%s) GROUP BY status"


@dataclass(slots=True)
class Round:
    """One round: what was answered, what was logged, how long both took, and what each process holds after it."""

    answers: dict[int, int]
    logged: dict[str, int]
    accepted_s: float
    logged_s: float
    rss_mb: dict[str, float] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """The round in a line."""
        return (
            f"answered {self.answers} in {self.accepted_s:.1f} s, logged {self.logged} after {self.logged_s:.1f} s,"
            f" {sum(self.rss_mb.values()):.0f} MB"
        )

    @property
    def whole(self) -> bool:
        """Whether all were accepted, executed and logged."""
        return self.answers == {202: AT_ONCE} and self.logged == {"success": AT_ONCE}


async def run(rounds: int) -> list[Round]:
    """Run rounds on a stack of their own, with the limits that there are by default."""
    with servers(harness_home("triggers")) as place:
        database = await asyncio.to_thread(place.fresh_database, "bench_triggers")
        prefix = new_prefix()
        try:
            async with (
                Stack(place.bootstrap, database, prefix, place.home / "run", environment=_DEFAULTS) as stack,
                await psycopg.AsyncConnection.connect(database, autocommit=True) as connection,
            ):
                return await _rounds(stack, connection, rounds)
        finally:
            await remove_topics(place.bootstrap, prefix)


async def _rounds(stack: Stack, connection: psycopg.AsyncConnection[Any], rounds: int) -> list[Round]:
    kind = f"custom.t{uuid4().hex[:12]}"
    action = {"type": "apply_tag", "order": 1, "config": {"tag": "triggered"}}
    workflow = await stack.api.create_workflow({"name": kind, "trigger": {"type": kind}, "actions": [action]})
    await stack.settled()
    done: list[Round] = []
    while len(done) < rounds:
        done.append(await _round(stack, connection, workflow, kind))
        say(f"round {len(done)} of {rounds}: {done[-1].said}")
    return done


async def _round(stack: Stack, connection: psycopg.AsyncConnection[Any], workflow: UUID, kind: str) -> Round:
    events = [event(kind) for _ in range(AT_ONCE)]
    ids = [execution_id(workflow, one["source"], one["id"]) for one in events]
    # A sender of its own each round: how many rounds fit into a minute is not what is asked here.
    token = mint_token(stack.settings, uuid4(), "user", 600, ["events:write"])
    began = time.monotonic()
    answers = await trigger_at_once(stack.api.base_url, token, events)
    accepted = time.monotonic() - began
    logged = await eventually(partial(_all_logged, connection, ids), within=120, every=0.2, what="every row")
    rss = {name: psutil.Process(pid).memory_info().rss / _MIB for name, pid in stack.pids().items()}
    return Round(dict(answers), logged, accepted, time.monotonic() - began, rss)


async def _all_logged(connection: psycopg.AsyncConnection[Any], ids: list[UUID]) -> dict[str, int]:
    """Return how many rows have which status, once there is one for each execution."""
    found = dict(await (await connection.execute(_DONE, (ids,))).fetchall())
    return found if sum(found.values()) == len(ids) else {}


def grown(rounds: list[Round]) -> dict[str, float]:
    """Return by how many MB each process holds more at the end than when it had settled; too little is left out."""
    first, last = rounds[SETTLED - 1].rss_mb, rounds[-1].rss_mb
    return {name: held - first[name] for name, held in last.items() if held - first[name] > MAY_GROW_MB}


def main() -> int:
    """Run, print, write; the exit code says whether all of it was shown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = asyncio.run(run(max(parser.parse_args().rounds, SETTLED)))
    more = grown(rounds)
    shown = all(one.whole for one in rounds) and not more
    _BUILD.mkdir(exist_ok=True)
    (_BUILD / "triggers.json").write_bytes(
        orjson.dumps(
            {"passed": shown, "grown_mb": more, "rounds": [asdict(one) for one in rounds]},
            option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS,
        )
    )
    held = {name: (round(rounds[SETTLED - 1].rss_mb[name]), round(rss)) for name, rss in rounds[-1].rss_mb.items()}
    say("MB after round 3 and at the end: " + ", ".join(f"{name} {one}-{two}" for name, (one, two) in held.items()))
    say("all accepted, executed and logged, and nothing has grown" if shown else f"NOT SHOWN; grown: {more}")
    return 0 if shown else 1


if __name__ == "__main__":
    sys.exit(main())
