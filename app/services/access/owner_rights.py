"""What owners may, kept for a moment, so that steps cost no query each; and the noting of what callers may."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from app.domain.callers import Caller, Permission
from app.domain.errors import UnreachableError
from app.ports import NotedCallers
from app.services.access.recent import MAX_KEPT, Recent
from app.services.operations.outages import Outage

MAX_AGE_S: Final = 2.0
NOTED_FOR_S: Final = 10.0

_LOG: Final = logging.getLogger(__name__)


class RecentRights:
    """Implements ``app.ports.OwnerRights``.

    What is older than two seconds is read again, at the next use: all that are asked for in one query, and once for
    all who ask at that moment.

    Args:
        source: Where callers are noted.
        everybodys: What every user may beside what their token says.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, source: NotedCallers, everybodys: frozenset[Permission], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = source
        self._everybodys = everybodys
        self._recent: Recent[UUID, Caller] = Recent(self._read, MAX_AGE_S, clock)

    async def of(self, owners: Collection[UUID]) -> Mapping[UUID, Caller]:
        """Return each owner as a caller, at most two seconds old.

        Raises:
            UnreachableError: Postgres stayed away for too long.
        """
        return await self._recent.get(owners)

    async def _read(self, owners: Sequence[UUID]) -> dict[UUID, Caller]:
        noted = await self._source.read(set(owners))
        callers = {owner: noted.get(owner) or Caller(owner, "user") for owner in owners}
        return {
            owner: replace(caller, permissions=caller.permissions | self._everybodys)
            for owner, caller in callers.items()
        }


class RightsOfCaller:
    """Implements ``app.ports.OwnerRights`` where a caller tries a workflow: the caller's rights count, not its owner's.

    Args:
        caller: The caller who tries the workflow.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def of(self, owners: Collection[UUID]) -> Mapping[UUID, Caller]:
        """Return the caller for each."""
        return dict.fromkeys(owners, self._caller)


class CallerNotes:
    """Notes what callers' tokens say, for the time when their workflows run without them.

    A caller who says the same again is written once in ten seconds at most: another process may have noted another
    token of theirs meanwhile, and the last call counts.

    Args:
        store: Where callers' rights are noted.
        clock: Seconds, monotonic.
    """

    def __init__(self, store: NotedCallers, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._outage = Outage("notes of callers' permissions", _LOG)
        self._noted: OrderedDict[UUID, tuple[Caller, float]] = OrderedDict()

    async def note(self, caller: Caller) -> None:
        """Note a caller, unless this process has just done so.

        While Postgres does not answer nothing is noted: the request is judged by its own token, and the next one notes.
        """
        said, at = self._noted.get(caller.user_id, (None, 0.0))
        now = self._clock()
        if said == caller and now - at < NOTED_FOR_S:
            return
        try:
            await self._store.note(caller)
        except UnreachableError as error:
            self._outage.failed(error)
            return
        self._outage.served()
        self._noted[caller.user_id] = (caller, now)
        self._noted.move_to_end(caller.user_id)
        if len(self._noted) > MAX_KEPT:
            self._noted.popitem(last=False)
