"""The end of a run: its executions come to theirs, as far as they do, and what it has made is removed."""

import asyncio
import time
from collections.abc import Collection
from typing import Final
from uuid import UUID

from app.commands.api_client import ApiClient
from app.commands.proving.progress import Progress
from app.commands.proving.recount import rows_of
from app.commands.proving.workflows import cancel_waiting, customers_of, remove
from app.services.proving.load import Load

_QUIET_S: Final = 10.0
_EVERY_S: Final = 1.0


class Ending:
    """Puts away what a run has made.

    Args:
        api: Of the installation.
        load: The run's.
        progress: Says what is left.
        quiet_s: How long executions are waited for of which none ends.
        every_s: How long after a look comes the next.
    """

    def __init__(
        self, api: ApiClient, load: Load, progress: Progress, *, quiet_s: float = _QUIET_S, every_s: float = _EVERY_S
    ) -> None:
        self._api = api
        self._load = load
        self._progress = progress
        self._quiet_s = quiet_s
        self._every_s = every_s

    async def put_away(self, begun: Collection[UUID], *, patient: bool) -> None:
        """Remove workflows, with their executions that wait, and customers.

        Args:
            begun: Executions that had not ended when they were last looked for.
            patient: Let them end first, which they may as long as their webhooks are received.
        """
        if patient and begun:
            begun = await self._still(begun, cancel=False)
        await asyncio.to_thread(self._remove)
        if begun:  # those that were queued may begin to wait only now
            begun = await self._still(begun, cancel=True)
        if begun:
            self._progress.say(
                f"{len(begun):,} executions of this run have not ended; they may be queued. Nobody receives "
                "their webhooks any more: those fail, or wait for five minutes first, and "
                "`headrace prove --clean` ends what waits"
            )

    def _remove(self) -> None:
        customers = [one["id"] for one in customers_of(self._api, self._load.customers)] if self._load.crm else ()
        remove(self._api, [{"id": str(one)} for one in self._load.ids.values()], customers)

    async def _still(self, begun: Collection[UUID], *, cancel: bool) -> Collection[UUID]:
        """Wait for executions until all have ended, or none did for a while; returns those that have not."""
        last = time.monotonic()
        while True:
            if cancel:
                await asyncio.to_thread(self._cancel)
            rows = await asyncio.to_thread(rows_of, self._api, self._load)
            left = {execution for execution in begun if execution not in rows}
            if not left:
                return left
            if len(left) < len(begun):
                begun, last = left, time.monotonic()
            elif time.monotonic() - last > self._quiet_s:
                return left
            self._progress.show(f"waiting for the end of {len(left):,} executions")
            await asyncio.sleep(self._every_s)

    def _cancel(self) -> None:
        for workflow in self._load.ids.values():
            cancel_waiting(self._api, workflow)
