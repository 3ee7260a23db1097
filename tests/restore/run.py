"""``make restore``: what is lost, and what is done twice, where one server is set back; ``build/restore.json``.

postgres-plain: Postgres is restored to a backup, Kafka is as it was; all roles are simply started again.
postgres-steps: The same, by the steps of docs/backup.md.
kafka-lost:     Kafka is lost with all its topics, Postgres is as it was.
"""

import argparse
import asyncio
import json
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from app.actions.registry import REGISTRY
from app.adapters.kafka.admin import ensure_topics
from app.topics import declare
from tests.benchmarks.progress import say
from tests.restore.ground import Ground, ground
from tests.support.broker import remove_topics
from tests.support.servers import harness_home, servers
from tests.support.waiting import eventually

_EVENTS: Final = 200
_WAITING: Final = 20
_WAIT_S: Final = 45
_SETTLED_WITHIN_S: Final = 120.0
# What a restored timer would do a second time: its execution went on, and ended, after the backup.
_DONE_TIMERS: Final = "DELETE FROM timers t USING automation_logs l WHERE l.id = t.execution_id"

_TAGGED: Final = "SELECT 1 FROM automation_logs WHERE id = ANY(%s) AND actions_executed::text LIKE '%%apply_tag%%'"


def webhook(place: Ground) -> dict[str, Any]:
    """Return the action whose effects are counted."""
    return {"type": "webhook", "config": {"url": f"{place.url}/", "body": {"id": "{{ customer.id }}"}}}


def tag() -> dict[str, Any]:
    """Return the action whose effect is in our own Postgres."""
    return {"type": "apply_tag", "config": {"tag": "seen"}}


async def lose_an_hour(place: Ground, backup: Path) -> tuple[datetime, dict[str, Any]]:
    """Work, back up, work on, stop; returns when the backup was made, and the workflows."""
    wait = {"type": "delay", "config": {"duration": f"{_WAIT_S} seconds"}}
    old = await place.workflow("old", [tag(), webhook(place)])
    later = await place.workflow("later", [wait, webhook(place)])
    await place.stack.settled()
    await place.emit("before", "old", old, _EVENTS)
    await place.all_in_the_log("before")
    await place.emit("waiting", "later", later, _WAITING)
    await eventually(lambda: _timers(place, _WAITING), within=30, what="timers")
    at = datetime.now(UTC)
    await asyncio.to_thread(place.dump, backup)
    say("backed up")
    new = await place.workflow("new", [webhook(place)])
    _, etag = await place.stack.api.call("GET", f"/api/v1/workflows/{old}")
    path = f"/api/v1/workflows/{old}?publish=true"
    await place.stack.api.call("PATCH", path, {"actions": _one_less(place)}, If_Match=etag)
    await place.stack.settled()
    await place.emit("after", "old", old, _EVENTS)
    await place.emit("of a new workflow", "new", new, _WAITING)
    await place.all_in_the_log("after", "of a new workflow", "waiting")
    await place.stop()
    return at, {"old": old, "later": later, "new": new}


def _one_less(place: Ground) -> list[dict[str, Any]]:
    return [{"order": 1, **webhook(place)}]


async def _timers(place: Ground, wanted: int) -> bool:
    return await asyncio.to_thread(place.execute, "SELECT 1 FROM timers") == wanted


async def postgres_plain(place: Ground) -> dict[str, Any]:
    """Restore Postgres, and start all as if nothing had been."""
    backup = place.stack.home / "backup"
    _, workflows = await lose_an_hour(place, backup)
    before = await place.posts()
    await asyncio.to_thread(place.restore, backup)
    await place.start()
    return await _judge(place, before, workflows)


async def postgres_steps(place: Ground) -> dict[str, Any]:
    """Restore Postgres, and go by the steps: the log from Kafka, no timer twice, the table from Postgres."""
    backup = place.stack.home / "backup"
    at, workflows = await lose_an_hour(place, backup)
    before = await place.posts()
    await asyncio.to_thread(place.restore, backup)
    await place.rewind("sink", place.stack.topics.executions, at)
    await place.delete_topic(place.stack.topics.workflows_changelog)
    await _make_topics(place)
    await place.start("sink")
    await place.all_in_the_log("after", "waiting")
    removed = await asyncio.to_thread(place.execute, _DONE_TIMERS)
    await asyncio.gather(*(worker.stop() for worker in place.stack.workers))
    await place.start()
    return {**await _judge(place, before, workflows), "timers removed": removed}


async def _judge(place: Ground, before: tuple[int, int], workflows: dict[str, Any]) -> dict[str, Any]:
    """Say what is there of what was, and what runs for new events."""
    await eventually(lambda: _timers(place, 0), within=_SETTLED_WITHIN_S, what="no timer left")
    twice = (await place.posts())[0] - before[0]
    for name in ("old", "new"):
        await place.emit(f"again {name}", name, workflows[name], _WAITING)
    await place.all_in_the_log("again old")
    tagged = await asyncio.to_thread(place.execute, _TAGGED, place.sent["again old"])
    # Were a workflow that is gone to run, its webhooks would come by now; the next workflow's are waited for.
    await place.emit("last", "old", workflows["old"], _WAITING)
    await place.all_in_the_log("last")
    posts, _ = await place.posts()
    letters = await asyncio.to_thread(place.execute, "SELECT 1 FROM dead_letters")
    asked = {name: await place.rows(name) for name in ("before", "after", "waiting", "of a new workflow")}
    return {
        "rows": {name: f"{found} of {len(place.sent[name])}" for name, found in asked.items()},
        "webhooks a second time": twice,
        "webhooks of a workflow that is gone": posts - before[0] - twice - 2 * _WAITING,
        "the older revision runs again": tagged == _WAITING,
        "dead letters": letters,
    }


async def kafka_lost(place: Ground) -> dict[str, Any]:
    """Lose every topic, with events in flight and timers that wait; make them anew, and start."""
    wait = {"type": "delay", "config": {"duration": f"{_WAIT_S} seconds"}}
    old = await place.workflow("old", [tag(), webhook(place)])
    later = await place.workflow("later", [wait, webhook(place)])
    await place.stack.settled()
    await place.emit("before", "old", old, _EVENTS)
    await place.emit("waiting", "later", later, _WAITING)
    await place.all_in_the_log("before")
    await eventually(lambda: _timers(place, _WAITING), within=30, what="timers")
    for worker in place.stack.workers:
        worker.kill()
    await place.emit("in flight", "old", old, _WAITING)
    await remove_topics(place.on.bootstrap, place.stack.topics.prefix)
    await _make_topics(place)
    began = time.monotonic()
    await place.start()
    ready = time.monotonic() - began
    await place.emit("again", "old", old, _WAITING)
    await place.all_in_the_log("again", "waiting")
    posts, keys = await place.posts()
    return {
        "rows": {
            name: f"{await place.rows(name)} of {len(place.sent[name])}" for name in ("before", "in flight", "waiting")
        },
        "webhooks twice": posts - keys,
        "every role ready after, s": round(ready, 1),
    }


async def _make_topics(place: Ground) -> None:
    stack = place.stack
    await ensure_topics(
        stack.settings.kafka_connection, declare(stack.settings, REGISTRY.names()), replication_factor=1
    )


TRIALS: Final[dict[str, Callable[[Ground], Awaitable[dict[str, Any]]]]] = {
    "postgres-plain": postgres_plain,
    "postgres-steps": postgres_steps,
    "kafka-lost": kafka_lost,
}


async def _run(name: str) -> dict[str, Any]:
    with servers(harness_home("restore")) as on:
        await asyncio.to_thread(shutil.rmtree, on.home / name, ignore_errors=True)
        async with ground(on, name) as place:
            try:
                return await TRIALS[name](place)
            finally:
                await remove_topics(on.bootstrap, place.stack.topics.prefix)


def main() -> None:
    """Run the trials that were asked for; write and say what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(TRIALS), help="names, with commas between")
    path = Path("build/restore.json")
    path.parent.mkdir(exist_ok=True)
    found = json.loads(path.read_text()) if path.exists() else {}
    for name in parser.parse_args().only.split(","):
        say(name)
        found[name] = asyncio.run(_run(name))
        path.write_text(json.dumps(found, indent=2))
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
