"""Which workflows use which secrets, for the audit trail: remembered in memory, written behind, once an hour each.

A step costs a look into a dict. What a process had not written yet when it was killed, at most ``WRITE_EVERY_S``
seconds of first uses, is written with the next use: in the execution log it is anyway.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from typing import Final

from app.domain.errors import UnreachableError
from app.domain.grants import Use
from app.ports import SecretUse, SecretUseStore
from app.services.access.recent import MAX_KEPT
from app.services.operations.background import running_beside

WRITE_EVERY_S: Final = 5.0
_LAST_WITHIN_S: Final = 2.0


class SecretUses:
    """Implements ``app.ports.SecretUseNotes``.

    Args:
        store: Where uses are kept.
        hour: The number of the hour that it is.
        most: Uses to remember, and to hold until they are written.
    """

    def __init__(self, store: SecretUseStore, hour: Callable[[], int], *, most: int = MAX_KEPT) -> None:
        self._store = store
        self._hour = hour
        self._most = most
        self._noted: OrderedDict[SecretUse, int] = OrderedDict()
        self._waiting: dict[SecretUse, None] = {}

    def note(self, names: Collection[str], use: Use) -> None:
        """Note that a workflow was given secrets; one of this hour, or more than can be held, costs nothing more."""
        hour = self._hour()
        for name in names:
            one = SecretUse(name, use)
            if self._noted.get(one) == hour or len(self._waiting) >= self._most:
                continue
            self._waiting[one] = None
            self._noted[one] = hour
            self._noted.move_to_end(one)
            if len(self._noted) > self._most:
                self._noted.popitem(last=False)

    async def write(self) -> None:
        """Write what waits; it goes on waiting where that fails.

        Raises:
            UnreachableError: Postgres stayed away for too long.
        """
        uses = list(self._waiting)
        if uses:
            await self._store.add(uses)
            for one in uses:
                self._waiting.pop(one, None)

    async def run(self) -> None:
        """Write every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            await self.write()


@asynccontextmanager
async def noting_uses(store: SecretUseStore, hour: Callable[[], int]) -> AsyncIterator[SecretUses]:
    """Write uses for as long as the block runs, and what waits at its end."""
    uses = SecretUses(store, hour)
    async with running_beside("secret uses", uses.run):
        yield uses
    with suppress(UnreachableError, TimeoutError):
        async with asyncio.timeout(_LAST_WITHIN_S):
            await uses.write()
