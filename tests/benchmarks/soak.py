"""``python -m tests.benchmarks.soak``: whether memory stays flat under large events behind a record that is stuck.

Events of 200 kB run a webhook each, half of them in the partition of an entity whose webhooks take 100 s apiece: so
long everything that has finished behind it stays in front of the frontier. The peak of each worker's resident memory
is taken by thirds of the run.

Prints a table, writes ``build/soak.json``, and fails where a worker's last third is more than a tenth over its middle
one, an event was not executed, or a worker ended.
"""

import argparse
import asyncio
import random
import sys
import time
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
import psycopg

from app.domain.ids import execution_id
from tests.benchmarks.hotkey_job import ROLES, entities, rss_mb
from tests.benchmarks.hotkey_receiver import Destination, destination
from tests.benchmarks.measure import Rows
from tests.benchmarks.progress import say
from tests.support.broker import remove_topics
from tests.support.servers import Servers, harness_home, servers
from tests.support.stack import Stack
from tests.support.waiting import eventually

GROWTH: Final = 1.1
STUCK_S: Final = 100.0
EVENT_BYTES: Final = 200_000
_BUILD: Final = Path(__file__).resolve().parents[2] / "build"
_SOURCE: Final = "/soak"
_SAY_EVERY_S: Final = 30.0
# The head may be stuck for longer than an attempt may take otherwise, and for less than the watchdog lets it.
_PATIENT: Final = {"HEADRACE_ACTION_TIMEOUT_MS": "150000", "WORKFLOW_EXECUTION_TIMEOUT": "200000"}


class Soak:
    """One run on a running stack."""

    def __init__(self, stack: Stack, rows: Rows, target: Destination, seconds: float, rate: float) -> None:
        self._stack = stack
        self._rows = rows
        self._target = target
        self._seconds = seconds
        self._rate = rate
        self._ids: dict[str, UUID] = {}
        self._sent: list[UUID] = []
        self.peaks: dict[str, list[float]] = {}

    async def prepare(self) -> None:
        """Make the workflows; the stuck entity's first events are on their way."""
        for kind in ("slow", "fast"):
            body = {"entity": "{{ customer.id }}", "n": "{{ n }}"}
            action = {"type": "webhook", "order": 1, "config": {"url": f"{self._target.url}/{kind}", "body": body}}
            draft = {"name": kind, "trigger": {"type": f"custom.{kind}"}, "actions": [action]}
            self._ids[kind] = await self._stack.api.create_workflow(draft)
        await self._stack.settled()
        self._target.slow_s = STUCK_S

    async def run(self) -> None:
        """Send at a steady rate until the time is over, then wait for what was sent."""
        here, there = (entities(self._stack.settings.actions_partitions, same=same) for same in (True, False))
        stuck, others = next(here), [next(which) for which in (here, there) for _ in range(20)]
        stuck_events = range(1 + int(self._seconds / STUCK_S))
        await self._stack.emitter.emit_many([self._event("slow", stuck, number) for number in stuck_events])
        began, said, sent = time.monotonic(), 0.0, 0
        while (gone := time.monotonic() - began) < self._seconds:
            due = int(gone * self._rate)
            events = [self._event("fast", others[number % len(others)], number) for number in range(sent, due)]
            self._sent += [execution_id(self._ids["fast"], _SOURCE, event["id"]) for event in events]
            await self._stack.emitter.emit_many(events)
            sent = due
            self._look(min(int(3 * gone / self._seconds), 2))
            if gone - said >= _SAY_EVERY_S:
                said = gone
                say(f"{gone:.0f} of {self._seconds:.0f} s, {sent} events; MB by thirds: {self.peaks}")
            await asyncio.sleep(0.1)
        await eventually(self._all_there, within=120, every=0.5, what="every row")

    @property
    def events(self) -> int:
        """Events sent, but for those of the stuck entity."""
        return len(self._sent)

    def _look(self, third: int) -> None:
        for worker in self._stack.workers:
            if worker.pid is None:
                raise RuntimeError(f"{worker.name} ended with {worker.exit_code}\n{worker.log_tail()}")
            peaks = self.peaks.setdefault(worker.name, [0.0, 0.0, 0.0])
            peaks[third] = round(max(peaks[third], rss_mb(worker.pid)), 1)

    async def _all_there(self) -> bool:
        return await self._rows.count(self._sent) == len(self._sent)

    def _event(self, kind: str, entity: str, number: int) -> dict[str, Any]:
        about = {"customer": {"id": entity}, "n": number, "text": _text(number)}
        ids = {"id": uuid4().hex, "source": _SOURCE, "type": f"custom.{kind}", "subject": entity}
        return {"specversion": "1.0", **ids, "data": about}


def _text(number: int) -> str:
    """Return some 200 kB that compress well, so that the disks of the machine are not what is measured."""
    line = random.Random(number).randbytes(1000).hex()
    return line * (EVENT_BYTES // len(line))


async def soak(place: Servers, seconds: float, rate: float) -> Soak:
    """Run it on a fresh stack."""
    database = await asyncio.to_thread(place.fresh_database, "bench_soak")
    prefix = f"soak-{uuid4().hex[:8]}."
    try:
        async with AsyncExitStack() as stack:
            target = await stack.enter_async_context(destination())
            made = Stack(place.bootstrap, database, prefix, place.home / "soak", roles=ROLES, environment=_PATIENT)
            running = await stack.enter_async_context(made)
            connecting = psycopg.AsyncConnection.connect(database, autocommit=True)
            one = Soak(running, Rows(await stack.enter_async_context(await connecting)), target, seconds, rate)
            await one.prepare()
            stack.callback(partial(setattr, target, "slow_s", 0.0))
            await one.run()
            target.close()  # what is stuck would hold the executor's end up
    finally:
        await remove_topics(place.bootstrap, prefix)
    return one


def growth(peaks: list[float]) -> float:
    """Return the last third's peak as a multiple of the middle third's."""
    return round(peaks[2] / peaks[1], 3)


def table(peaks: dict[str, list[float]]) -> str:
    """Return what was found as a table."""
    lines = ["worker               first third MB   middle MB   last MB   last / middle"]
    lines += [
        f"{name:<18}   {first:>14.1f}   {middle:>9.1f}   {last:>7.1f}   {last / middle:>13.3f}   "
        f"{'ok' if last <= GROWTH * middle else 'NOT FLAT'}"
        for name, (first, middle, last) in peaks.items()
    ]
    return "\n".join(lines)


def main() -> None:
    """Read the arguments, run, print, write, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=10, help="events a second")
    given = parser.parse_args()
    say("starting Kafka and Postgres")
    with servers(harness_home("soak")) as place:
        one = asyncio.run(soak(place, given.seconds, given.rate))
    worst = max(growth(peaks) for peaks in one.peaks.values())
    _BUILD.mkdir(exist_ok=True)
    said = {"seconds": given.seconds, "events": one.events, "growth": worst, "limit": GROWTH, "peaks_mb": one.peaks}
    (_BUILD / "soak.json").write_bytes(orjson.dumps(said))
    sys.stdout.write(table(one.peaks) + "\n")
    sys.exit(0 if worst <= GROWTH else 1)


if __name__ == "__main__":
    main()
