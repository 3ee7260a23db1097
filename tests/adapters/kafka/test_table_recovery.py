"""A table's recovery ends, however soon the last of the changelog was read."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from app.adapters.kafka.faust_parts import TP
from app.adapters.kafka.faust_private import Recovery
from tests.support.waiting import eventually, in_time

CHANGELOG = TP("changelog", 0)
HIGHWATER = 3


class _Signal:
    async def send(self) -> None:
        """Nobody listens."""


class _Table:
    """Notes how many records it had each time that it was said to be complete."""

    recovery_buffer_size = 1

    def __init__(self) -> None:
        self.records = 0
        self.complete_with: list[int] = []

    def persisted_offset(self, _: TP) -> None:
        """Nothing was kept."""

    async def on_changelog_event(self, _: Any) -> None:
        """Take a record in."""
        self.records += 1

    def apply_changelog_batch(self, _: Any) -> None:
        """Take a batch in."""

    async def on_recovery_completed(self, _: Any, __: Any) -> None:
        """It is complete."""
        self.complete_with.append(self.records)


class _Tables(dict[str, _Table]):
    """A manager with one table; what is read of its changelog is in the queue as soon as it may flow."""

    standbys_ready = True

    def __init__(self) -> None:
        super().__init__(workflows=_Table())
        self.changelog_topics = {CHANGELOG.topic}
        self._changelogs = {CHANGELOG.topic: self["workflows"]}  # Faust's recovery asks it so
        self.changelog_queue: asyncio.Queue[Any] = asyncio.Queue()
        self.ready = asyncio.Event()

    def fetched(self, *offsets: int) -> None:
        """Let records come."""
        for offset in offsets:
            message = SimpleNamespace(tp=CHANGELOG, offset=offset)
            self.changelog_queue.put_nowait(SimpleNamespace(message=message))

    async def read(self, *offsets: int) -> None:
        """Let records come, and return when they have been read."""
        last = self["workflows"].records + len(offsets)
        self.fetched(*offsets)
        await eventually(lambda: self["workflows"].records == last, every=0)

    def on_actives_ready(self) -> None:
        """Note that it is complete."""
        self.ready.set()

    def on_standbys_ready(self) -> None:
        """There are none."""


class _Consumer:
    """One that is assigned the changelog alone."""

    def __init__(self, tables: _Tables, early: int) -> None:
        self._tables = tables
        self._early = early

    async def highwaters(self, *tps: TP) -> dict[TP, int]:
        """Return the offset after the last record; some of them come meanwhile."""
        await self._tables.read(*range(self._early))
        return dict.fromkeys(tps, HIGHWATER)

    async def earliest_offsets(self, *tps: TP) -> dict[TP, int]:
        """Return where it begins."""
        return dict.fromkeys(tps, 0)

    async def seek_wait(self, _: Any) -> None:
        """Do nothing."""

    async def perform_seek(self) -> None:
        """Do nothing."""

    def assignment(self) -> set[TP]:
        """Return the changelog alone."""
        return {CHANGELOG}

    def resume_partitions(self, _: Any) -> None:
        """Do nothing."""

    pause_partitions = resume_partitions

    def resume_flow(self) -> None:
        """Do nothing."""


class _Fetcher:
    """Fetches all that there is at the first start; what is quick returns once it has been read."""

    def __init__(self, tables: _Tables, begin: int, *, quick: bool) -> None:
        self._tables = tables
        self._todo = range(begin, HIGHWATER)
        self._quick = quick

    async def maybe_start(self) -> None:
        """Start."""
        todo, self._todo = self._todo, range(0)
        if self._quick:
            await self._tables.read(*todo)
        else:
            self._tables.fetched(*todo)


def _app(tables: _Tables, early: int, *, quick: bool) -> Any:
    conf = SimpleNamespace(
        stream_recovery_delay=0, store="memory:", broker_request_timeout=60.0, recovery_consistency_check=False
    )
    return SimpleNamespace(
        conf=conf,
        tracer=None,
        in_transaction=False,
        in_recovery=False,
        consumer_generation_id=1,
        consumer=_Consumer(tables, early),
        flow_control=SimpleNamespace(resume=lambda: None),
        assignor=SimpleNamespace(assigned_actives=lambda: {CHANGELOG}, assigned_standbys=set),
        on_rebalance_complete=_Signal(),
        on_rebalance_end=lambda: None,
        _producer=None,
        _rebalancing_span=None,
        _fetcher=_Fetcher(tables, early, quick=quick),
    )


@pytest.mark.parametrize(("early", "quick"), [(0, True), (1, True), (1, False)])
async def test_a_recovery_ends_once_and_with_all(early: int, quick: bool) -> None:  # noqa: FBT001 - a table's column
    """Also where all is read before anybody waits for the end: Faust's own waits for ever then.

    What comes before it is known how much there is looks like an end, and is none.
    """
    tables = _Tables()
    async with Recovery(_app(tables, early, quick=quick), tables) as recovery:
        await recovery.on_rebalance({CHANGELOG}, set(), {CHANGELOG}, 1)
        await in_time(tables.ready.wait(), within=10, what="the table to be complete")
    assert tables["workflows"].complete_with == [HIGHWATER]
