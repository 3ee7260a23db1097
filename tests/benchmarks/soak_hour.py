"""``make soak-hour``: half of the highest rate for an hour; nothing may grow.

The highest rate is measured first, as ``make bench`` does. Then events come at half of it, and every ten seconds it is
looked at what each process holds: memory, open files, connections to the broker, sessions in Postgres, and how long
executions take from when their event was due. After a warm-up of a quarter of the run the second quarter is compared
with the last one. A run that is cut short (Ctrl-C) reports on what it has. Prints a table, writes
``build/soak-hour.json``.
"""

import argparse
import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson
import psutil
import psycopg

from tests.benchmarks.bench import receiver
from tests.benchmarks.measure import Rows, Sent
from tests.benchmarks.product import ProductContender
from tests.benchmarks.progress import say
from tests.benchmarks.soak_figures import Look, Rule, judged, lateness, rules, table
from tests.benchmarks.turn import Plan, Turn
from tests.benchmarks.usage import resident_mb
from tests.support.servers import Servers, harness_home, servers

_PATH: Final = Path(__file__).resolve().parents[2] / "build" / "soak-hour.json"
_EVERY_S: Final = 10.0
_SAMPLED: Final = 100
_LADDER: Final = (100, 200, 400, 600, 800, 1000, 1250, 1600, 2000, 2500, 3200)
_RUN: Final = "soak"
_AHEAD_S: Final = 3.0
_SESSIONS: Final = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


class Soak:
    """One run on a running installation.

    Args:
        on: Broker and Postgres.
        contender: The installation.
        rate: Events a second.
    """

    def __init__(self, on: Servers, contender: ProductContender, rate: float) -> None:
        self._on = on
        self._contender = contender
        self._rate = rate
        self._cut_short = asyncio.Event()
        self.looks: list[Look] = []

    async def run(self, seconds: float) -> None:
        """Send for so long, looking on; ends early when it is told to by Ctrl-C."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._cut_short.set)
        began = time.time() + _AHEAD_S
        sent = Sent(_RUN, int(seconds * self._rate), self._rate, began)
        generator = self._generator(sent)
        try:
            async with await psycopg.AsyncConnection.connect(
                self._contender.database_url, autocommit=True
            ) as connection:
                while (gone := time.time() - began) < seconds and not self._cut_short.is_set():
                    await self._look(Rows(connection), sent, gone)
                    self._say(gone, seconds)
                    await self._rest(began + gone + _EVERY_S)
        finally:
            generator.terminate()
            await asyncio.to_thread(generator.wait)

    async def _rest(self, until: float) -> None:
        """Sleep until then, or until it is cut short."""
        waiting = asyncio.create_task(self._cut_short.wait())
        await asyncio.wait(
            {waiting, asyncio.create_task(asyncio.sleep(until - time.time()))}, return_when="FIRST_COMPLETED"
        )
        waiting.cancel()

    def _generator(self, sent: Sent) -> subprocess.Popen[bytes]:
        given = {
            "bootstrap": self._on.bootstrap,
            "topic": self._contender.topic,
            "run": sent.run,
            "count": sent.count,
            "rate": sent.rate,
            "start": sent.start,
        }
        words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
        command = [sys.executable, "-m", "tests.benchmarks.load", "--endless", *words]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - ourselves

    async def _look(self, rows: Rows, sent: Sent, gone: float) -> None:
        """Look at each process, and at executions whose events were due in the ten seconds before the last ten."""
        pids = self._contender.pids
        if self._on.kafka.pid is not None:
            pids["kafka"] = self._on.kafka.pid
        late: list[float] = []
        if gone > 2 * _EVERY_S:
            asked = [int((gone - _EVERY_S - share * _EVERY_S / _SAMPLED) * sent.rate) for share in range(_SAMPLED)]
            ids = [Sent(sent.run, seq + 1, sent.rate, sent.start).ids(self._contender.workflow)[-1] for seq in asked]
            late = [at - sent.due(seq) for at, seq in zip(await rows.committed(ids), asked, strict=True)]
        found = await (await rows.connection.execute(_SESSIONS)).fetchone()
        processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self.looks.append(
            Look(
                at_s=round(gone, 1),
                memory_mb={name: round(resident_mb(pid), 1) for name, pid in pids.items()},
                files={name: process.num_fds() for name, process in processes.items()},
                broker_connections=_established(processes["kafka"]) if "kafka" in processes else 0,
                sessions=found[0] if found else 0,
                p50_s=lateness(late, 0.5),
                p99_s=lateness(late, 0.99),
            )
        )

    def _say(self, gone: float, seconds: float) -> None:
        look = self.looks[-1]
        say(
            f"{max(gone, 0):.0f} of {seconds:.0f} s at {self._rate:.0f}/s: {sum(look.memory_mb.values()):.0f} MB, "
            f"{sum(look.files.values())} files, {look.broker_connections} connections, {look.sessions} sessions, "
            f"p50 {look.p50_s:.2f} s, p99 {look.p99_s:.2f} s"
        )


def _established(process: psutil.Process) -> int:
    return sum(one.status == psutil.CONN_ESTABLISHED for one in process.net_connections("tcp"))


async def highest(on: Servers, url: str) -> float:
    """Return the highest rate with p99 under a second, as ``make bench`` measures it."""
    plan = Plan(drain=5000, rates=_LADDER, step_s=8, idle_s=0)
    outcome = await Turn(ProductContender(on, url), on.bootstrap, plan, {}).run()
    return outcome.open_loop_max_per_s


async def soak(on: Servers, given: argparse.Namespace) -> dict[str, Any]:
    """Measure the highest rate, then soak at half of it; returns what was found."""
    async with receiver() as (url, _):
        most = 2 * given.rate or await highest(on, url)
        contender = ProductContender(on, url)
        say(f"highest rate {most:.0f}/s; starting the installation for {given.seconds:.0f} s at {most / 2:.0f}/s")
        await contender.start()
        one = Soak(on, contender, most / 2)
        try:
            await one.run(given.seconds)
        finally:
            await contender.stop()
    return {
        "highest_per_s": most,
        "rate": most / 2,
        "asked_s": given.seconds,
        "looks": [look.as_json() for look in one.looks],
        "rules": [rule.as_json() for rule in rules(one.looks)],
    }


def _write(found: Mapping[str, Any]) -> None:
    _PATH.parent.mkdir(exist_ok=True)
    _PATH.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))


def main() -> None:
    """Read the arguments, soak, print, write, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--rate", type=float, default=0.0, help="events a second, instead of half of what is measured")
    given = parser.parse_args()
    say("starting Kafka and Postgres")
    with servers(harness_home("soak-hour"), long_lived=True) as on:
        on.stamp_commits()
        found = asyncio.run(soak(on, given))
    _write(found)
    held = [Rule(**rule) for rule in found["rules"]]
    sys.stdout.write(table(held) + "\n")
    sys.exit(0 if judged(held) else 1)


if __name__ == "__main__":
    main()
