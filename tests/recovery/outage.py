"""How fast the backlog of an outage of everything drains, beside clean drains before and after it.

A clean drain: the backlog lies in Kafka while the matchers are frozen, and goes when they are thawed. The outage: while
events flow every process is killed, Postgres and the broker are stopped; some time later both are started, what
producers had to send meanwhile arrives in one go, and every process is started cold.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from app.embedded.service import start
from tests.benchmarks.measure import Rows, Sent
from tests.benchmarks.product import ProductContender
from tests.benchmarks.progress import say
from tests.benchmarks.sending import send
from tests.support.servers import Servers
from tests.support.waiting import eventually

_WARM_UP: Final = 5000
_FLOW_RATE: Final = 50.0
_FLOW_S: Final = 10
_WITHIN_S: Final = 300.0
_SAMPLED: Final = 50


@dataclass(frozen=True, slots=True)
class Drained:
    """A backlog that is gone: how fast from its first row to its last, and how soon the first one came."""

    per_s: float
    first_after_s: float
    last_after_s: float

    def as_json(self) -> dict[str, float]:
        """Return it rounded."""
        return {
            "per_s": round(self.per_s, 1),
            "first_after_s": round(self.first_after_s, 2),
            "last_after_s": round(self.last_after_s, 2),
        }


class Outage:
    """One installation, its clean drains, and its outage.

    Args:
        on: Broker and Postgres, which are ours to stop.
        url: Where webhooks go.
        backlog: Events of a drain.
    """

    def __init__(self, on: Servers, url: str, backlog: int) -> None:
        self._on = on
        self._backlog = backlog
        self._contender = ProductContender(on, url)

    async def run(self, seconds: float) -> dict[str, Any]:
        """Drain cleanly, go through the outage, drain cleanly again; the rates, and what was lost."""
        await self._contender.start()
        try:
            warm = await self._send(_WARM_UP)
            await self._drained(warm, warm.start)
            before = await self._clean()
            flowing = await self._fall()
            say(f"everything is down; it stays so for {seconds:g} s")
            await asyncio.sleep(seconds)
            after, lost = await self._rise(flowing)
            again = await self._clean()
        finally:
            await self._contender.stop()
        return summary(before, after, again) | {"seconds": seconds, "backlog": self._backlog, "lost": lost}

    async def _clean(self) -> Drained:
        self._contender.hold()
        sent = await self._send(self._backlog)
        began = time.time()
        self._contender.go()
        return await self._drained(sent, began)

    async def _fall(self) -> Sent:
        """Kill everything while events flow; returns them, of which a half comes to Kafka after the kill."""
        sending = asyncio.create_task(
            send(self._on.bootstrap, self._contender.topic, int(_FLOW_RATE * _FLOW_S), _FLOW_RATE)
        )
        await asyncio.sleep(_FLOW_S / 2)
        for worker in self._contender.stack.workers:
            worker.kill()
        flowing = await sending
        for service in (self._on.postgres, self._on.kafka):
            await asyncio.to_thread(service.stop)
        return flowing

    async def _rise(self, flowing: Sent) -> tuple[Drained, int]:
        start(self._on.kafka)
        start(self._on.postgres)
        sent = await self._send(self._backlog)
        began = time.time()
        for worker in self._contender.stack.workers:
            worker.start()
        drained = await self._drained(sent, began)
        ids = flowing.ids(self._contender.workflow)
        async with await psycopg.AsyncConnection.connect(self._contender.database_url, autocommit=True) as connection:
            return drained, len(ids) - await Rows(connection).count(ids)

    async def _send(self, count: int) -> Sent:
        return await send(self._on.bootstrap, self._contender.topic, count, 0.0)

    async def _drained(self, sent: Sent, began: float) -> Drained:
        """Wait until each has its row; looks at a few of them until those are there, since looking costs as well."""
        ids = sent.ids(self._contender.workflow)
        async with await psycopg.AsyncConnection.connect(self._contender.database_url, autocommit=True) as connection:
            rows = Rows(connection)
            for wanted in (ids[:: max(1, len(ids) // _SAMPLED)], ids):

                async def all_there(wanted: list[Any] = wanted) -> bool:
                    _ = self._contender.pids
                    return await rows.count(wanted) == len(wanted)

                await eventually(all_there, within=_WITHIN_S, every=0.5, what=f"{len(wanted)} rows")
            committed = await rows.committed(ids)
        drained = of(committed, began)
        say(f"drain of {len(ids)}: {drained.per_s:.0f}/s, first row after {drained.first_after_s:.1f} s")
        return drained


def of(committed: list[float], began: float) -> Drained:
    """Return the figures of rows by their commit times."""
    first, last = min(committed), max(committed)
    return Drained(len(committed) / max(last - first, 1e-3), first - began, last - began)


def summary(before: Drained, after: Drained, again: Drained) -> dict[str, Any]:
    """Return the drains, and the outage's as a share of the clean ones' mean."""
    clean = (before.per_s + again.per_s) / 2
    return {
        "clean_before": before.as_json(),
        "after_outage": after.as_json(),
        "clean_after": again.as_json(),
        "share": round(after.per_s / clean, 3),
    }
