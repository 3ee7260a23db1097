"""Executions timed in turns, alone and beside another, in the same run: the machine's noise meets both.

A webhook, an e-mail and a tag run at a steady rate, and each counts from when its event was due until its row is
committed.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn
from uuid import UUID, uuid4

import orjson

from tests.benchmarks.measure import Rows, percentile
from tests.support.stack import Stack
from tests.support.waiting import eventually

LIMIT: Final = 2.0
KINDS: Final = ("webhook", "e-mail", "tag")
_BUILD: Final = Path(__file__).resolve().parents[2] / "build"
_STEP_S: Final = 0.05


@dataclass(slots=True)
class Turns:
    """Seconds from due to logged of all turns of one sort, by kind."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})


@dataclass(frozen=True, slots=True)
class Found:
    """What one kind came to in one setting; p99 in ms."""

    setting: str
    kind: str
    alone_p99_ms: float
    beside_p99_ms: float
    executions: int

    @property
    def ratio(self) -> float:
        """How many times as long it took beside the other."""
        return self.beside_p99_ms / self.alone_p99_ms

    @property
    def passed(self) -> bool:
        """Whether that is within the limit."""
        return self.ratio <= LIMIT


def actions(good: str) -> dict[str, dict[str, Any]]:
    """Return the action of each kind; webhooks go to ``good``."""
    return {
        "webhook": {"type": "webhook", "config": {"url": f"{good}/good"}},
        "e-mail": {"type": "send_email", "config": {"to": "a@example.com", "subject": "s", "text": "t"}},
        "tag": {"type": "apply_tag", "config": {"tag": "t"}},
    }


def event_of(source: str, event_type: str, **data: Any) -> dict[str, Any]:
    """Return an event about a customer of its own."""
    customer = f"c-{uuid4().hex[:12]}"
    ids = {"id": uuid4().hex, "source": source, "type": event_type, "subject": customer}
    return {"specversion": "1.0", **ids, "data": {"customer": {"id": customer}, **data}}


class Timer:
    """Sends events at a steady rate and times what comes of them.

    Args:
        stack: Where they go.
        rows: Where executions are logged.
        within: Seconds in which every row is to be there.
    """

    def __init__(self, stack: Stack, rows: Rows, *, within: float) -> None:
        self._stack = stack
        self._rows = rows
        self._within = within

    async def turn(
        self,
        seconds: float,
        rates: Mapping[str, float],
        make: Callable[[str], tuple[dict[str, Any], UUID | None]],
        into: Turns,
    ) -> None:
        """Send for so long, wait for every row, and add what came of it.

        Args:
            seconds: How long.
            rates: Events a second, by what ``make`` is to make.
            make: Makes an event, and names the execution that is timed; None where none is.
            into: Where times are added.
        """
        sent: list[tuple[str, UUID, float]] = []
        due, began = dict.fromkeys(rates, 0), time.time()
        while (gone := time.time() - began) < seconds:
            events = []
            for kind, rate in rates.items():
                for number in range(due[kind], int(gone * rate)):
                    event, execution = make(kind)
                    events.append(event)
                    if execution is not None:
                        sent.append((kind, execution, began + number / rate))
                due[kind] = int(gone * rate)
            if events:
                await self._stack.emitter.emit_many(events)
            await asyncio.sleep(_STEP_S)
        ids = [one for _, one, _ in sent]
        await eventually(partial(self._all_there, ids), within=self._within, every=0.2, what="every row")
        for (kind, _, at), committed in zip(sent, await self._rows.committed(ids), strict=True):
            into.seconds[kind].append(committed - at)

    async def _all_there(self, ids: list[UUID]) -> bool:
        return await self._rows.count(ids) == len(ids)


def compared(setting: str, alone: Turns, beside: Turns) -> list[Found]:
    """Return what each kind came to."""
    return [
        Found(
            setting,
            kind,
            percentile(alone.seconds[kind], 0.99) * 1000,
            percentile(beside.seconds[kind], 0.99) * 1000,
            len(beside.seconds[kind]),
        )
        for kind in KINDS
    ]


def table(found: list[Found]) -> str:
    """Return what was found as a table."""
    lines = ["setting        kind      executions   alone p99 ms   beside p99 ms   ratio"]
    lines += [
        f"{one.setting:<12}   {one.kind:<7}   {one.executions:>10}   {one.alone_p99_ms:>12.0f}   "
        f"{one.beside_p99_ms:>13.0f}   {one.ratio:>5.2f}   {'ok' if one.passed else 'NOT SHOWN'}"
        for one in found
    ]
    return "\n".join(lines)


def conclude(name: str, found: list[Found]) -> NoReturn:
    """Write ``build/<name>.json``, print the table, and end: with 1 where something is over the limit."""
    _BUILD.mkdir(exist_ok=True)
    written = [{**asdict(one), "ratio": one.ratio, "passed": one.passed} for one in found]
    (_BUILD / f"{name}.json").write_bytes(orjson.dumps({"limit": LIMIT, "found": written}))
    sys.stdout.write(table(found) + "\n")
    sys.exit(0 if all(one.passed for one in found) else 1)
