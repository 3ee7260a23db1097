"""What a live list costs the admin: 1,000 executions a minute, as the sink writes them, and several who follow."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Final

import aiohttp

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.execution_log import ExecutionLog
from tests.benchmarks.api_looks import workflow_id
from tests.benchmarks.usage import Meter
from tests.support.executions import document
from tests.support.logins import pool_of

A_MINUTE: Final = 1000
_SETTLING_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Live:
    """What it came to.

    Attributes:
        told: How many executions each listener was told of, by who they are.
        core: The share of a core that the admin took, followed;
        idle_core: and that it takes when nobody asks anything.
    """

    seconds: float
    written: int
    told: dict[str, list[int]]
    core: float
    idle_core: float

    @property
    def whole(self) -> bool:
        """Whether administrators were told of each."""
        return all(count == self.written for count in self.told["admin"])


@dataclass(slots=True)
class _Listener:
    who: str
    heard: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, base: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            aiohttp.ClientSession(base, headers=headers) as http,
            http.get("/api/v1/executions/stream") as response,
        ):
            response.raise_for_status()
            async for line in response.content:
                self.open.set()
                self.heard += line.startswith(b"event: execution")


async def live(base: str, database_url: str, tokens: Sequence[tuple[str, str]], pid: int, seconds: float) -> Live:
    """Measure it; ``tokens`` are who listens, each with a token, and ``pid`` is the admin's."""
    idle = await _share(pid, min(seconds, 20.0), asyncio.sleep(min(seconds, 20.0)))
    listeners = [_Listener(who) for who, _ in tokens]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one.listen(base, token)) for one, (_, token) in zip(listeners, tokens, strict=True)]
        await asyncio.gather(*(one.open.wait() for one in listeners))
        writing = asyncio.ensure_future(_write(database_url, seconds))
        core = await _share(pid, seconds, writing)
        await asyncio.sleep(_SETTLING_S)
        for task in tasks:
            task.cancel()
    told: dict[str, list[int]] = {who: [] for who in dict.fromkeys(who for who, _ in tokens)}
    for one in listeners:
        told[one.who].append(one.heard)
    return Live(seconds, await writing, told, core, idle)


async def _share(pid: int, seconds: float, work: object) -> float:
    meter, clock = Meter({"admin": pid}), asyncio.get_running_loop().time
    began = clock()
    await work  # type: ignore[misc]
    return meter.costs()["admin"].cpu_s / max(clock() - began, seconds)


async def _write(database_url: str, seconds: float) -> int:
    """Write executions as the sink does: evenly, a batch a second, most of them of few workflows."""
    rng, clock, written = Random(7), asyncio.get_running_loop().time, 0
    async with pool_of(database_url, DatabaseRole.SINK) as pool:
        log, began = ExecutionLog(pool), clock()
        while (passed := clock() - began) < seconds:
            due = round(passed * A_MINUTE / 60) - written
            batch = [_document(rng) for _ in range(due)]
            if batch:
                await log.write(batch)
            written += due
            await asyncio.sleep(1.0)
    return written


def _document(rng: Random) -> str:
    status = rng.choice(("success", "success", "success", "failed"))
    return document(
        workflow_id=workflow_id(int(180 * rng.random() ** 3)), executed_at=datetime.now(UTC).isoformat(), status=status
    )


def said(one: Live) -> str:
    """Return it in a line."""
    heard = ", ".join(f"{who} {sum(counts)} in {len(counts)} streams" for who, counts in one.told.items())
    return (
        f"{one.written} executions in {one.seconds:.0f} s, followed by {heard}:"
        f" {one.core * 100:.1f} % of a core (idle {one.idle_core * 100:.1f} %)"
    )


def listeners(tokens: dict[str, str]) -> list[tuple[str, str]]:
    """Return ten who follow: four administrators, three of the owner of most, three of others."""
    whose = Counter({"admin": 4, "big owner": 3, "owner": 2, "small owner": 1})
    return [(who, tokens[who]) for who in whose.elements()]
