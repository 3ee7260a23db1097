"""The workflow table against Postgres: finds what a matcher missed, says so, and mends it.

Nothing should ever be found. A change that is on its way is no finding, so a suspect must still be behind a while
later.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import time
from typing import Any, Final
from uuid import UUID

from app.domain.errors import NotReadyError, UnreachableError
from app.metrics.matcher import TABLE_AGE, TABLE_BEHIND, TABLE_CHECKED_AT, TABLE_CHECKS
from app.ports.workflows import StoredVersions
from app.services.operations.background import note_failure
from app.services.operations.outages import Outage
from app.services.workflows.index import WorkflowIndex

_GRACE_S: Final = 5.0
_CATCHING_UP_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.05
_MARGIN_S: Final = 30.0
_NAMED: Final = 20

logger = logging.getLogger(__name__)


def behind(table: Mapping[UUID, int], stored: Mapping[UUID, int]) -> dict[UUID, int]:
    """Workflows that the table lacks or has older than stored, with the stored version."""
    return {workflow: version for workflow, version in stored.items() if table.get(workflow, 0) < version}


class TableAge:
    """How old what a matcher's table says may be.

    Args:
        every_s: Seconds between two comparisons (HEADRACE_WORKFLOW_CHECK_S).
        clock: Seconds, Unix time.

    Attributes:
        complete: The table was read to its end once.
    """

    def __init__(self, every_s: float, clock: Callable[[], float] = time) -> None:
        self._clock = clock
        self._fresh_for_s = 2 * every_s + _MARGIN_S
        self._equal_at = clock()
        self.complete = False
        TABLE_AGE.set_function(self.seconds)

    def note_equal(self) -> None:
        """The table equals Postgres at this moment."""
        self._equal_at = self._clock()
        TABLE_CHECKED_AT.set(self._equal_at)

    def seconds(self) -> float:
        """Return the seconds since it last equalled Postgres, or since the start."""
        return self._clock() - self._equal_at

    async def probe(self) -> str:
        """Say that the table is fresh.

        Raises:
            NotReadyError: It was not read to its end yet, or has not equalled Postgres for two comparisons.
        """
        if not self.complete:
            raise NotReadyError("the table is not read to its end yet")
        if self.seconds() > self._fresh_for_s:
            raise NotReadyError(f"the table has not equalled Postgres for {self.seconds():.0f} s")
        return f"equalled Postgres within the last {self._fresh_for_s:.0f} s"


class TableCheck:
    """Compares one matcher's table with Postgres.

    Args:
        index: The matcher's table.
        stored: What Postgres holds.
        age: What is told of comparisons that found nothing.
        every_s: Seconds between two comparisons (HEADRACE_WORKFLOW_CHECK_S).
        grace_s: Seconds that a change may be on its way.
        catching_up_s: Seconds that events wait at most for what the table lacks at the start.

    Attributes:
        caught_up: Set once the table holds what Postgres held at the start, or that long afterwards.
    """

    def __init__(
        self,
        index: WorkflowIndex,
        stored: StoredVersions,
        *,
        age: TableAge,
        every_s: float,
        grace_s: float = _GRACE_S,
        catching_up_s: float = _CATCHING_UP_S,
    ) -> None:
        self._index = index
        self._stored = stored
        self._every_s = every_s
        self._grace_s = grace_s
        self._catching_up_s = catching_up_s
        self.caught_up = asyncio.Event()
        self._lacked: Mapping[UUID, int] = {}
        self._age = age
        self._outage = Outage("comparison of the workflow table", logger)

    async def run(self) -> None:
        """Compare for ever, from when the table is complete."""
        await self._index.complete.wait()
        await self._catch_up()
        self._age.complete = True
        while True:
            try:
                await self.check()
            except UnreachableError as error:
                TABLE_CHECKS.labels("unreachable").inc()
                self._outage.failed(error)
            else:
                self._outage.served()
            await asyncio.sleep(self._every_s)

    async def _catch_up(self) -> None:
        """Let events through once what the table lacked is there, or after a while: one may never come."""
        full = False
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._catching_up_s):
                    await self._fill()
                    full = True
            if not full:
                missed = behind(self._index.versions(), self._lacked)
                logger.error("the workflow table still lacks workflows; events no longer wait", extra=_named(missed))
        finally:
            self.caught_up.set()

    async def _fill(self) -> None:
        """Have what the table lacks at the start sent again, once, and wait until all of it came."""
        asked = False
        while True:
            asked = asked or await self._asked()
            if asked and not behind(self._index.versions(), self._lacked):
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _asked(self) -> bool:
        try:
            self._lacked = behind(self._index.versions(), await self._stored.versions())
            if self._lacked:
                logger.warning("the workflow table lacks workflows; events wait for them", extra=_named(self._lacked))
                await self._send_again(list(self._lacked))
        except UnreachableError as error:
            self._outage.failed(error)
            return False
        return True

    async def check(self) -> Mapping[UUID, int]:
        """Compare once, have what was missed sent again, and return it with the version it should have.

        Raises:
            UnreachableError: Postgres does not answer.
        """
        missed = behind(self._index.versions(), await self._stored.versions())
        if missed:
            await asyncio.sleep(self._grace_s)
            missed = behind(self._index.versions(), missed)
        TABLE_CHECKS.labels("behind" if missed else "equal").inc()
        if not missed:
            self._age.note_equal()
            return missed
        TABLE_BEHIND.inc(len(missed))
        logger.error("the workflow table is behind Postgres; what it lacks is sent again", extra=_named(missed))
        await self._send_again(list(missed))
        return missed

    async def _send_again(self, missed: Sequence[UUID]) -> None:
        """Have all sent again; where that fails each by itself, so that one workflow's fault is its own."""
        try:
            await self._stored.send_again(missed)
        except UnreachableError:
            raise
        except Exception as error:  # noqa: BLE001 - noted with its traceback
            if len(missed) == 1:
                note_failure("table_check", error, "a workflow is not sent again", workflow_id=missed[0])
                return
            for workflow in missed:
                await self._send_again([workflow])


def _named(missed: Mapping[UUID, int]) -> dict[str, Any]:
    return {"workflow_ids": sorted(map(str, missed))[:_NAMED], "workflows": len(missed)}
