"""Users who are disabled: their tokens do not hold any more, though nothing in a token can say so."""

import logging
from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from app.domain.errors import UnreachableError
from app.ports.users import DisabledUsers
from app.services.access.recent import WholeSet
from app.services.operations.outages import Outage

FRESH_S: Final = 2.0
_LOG: Final = logging.getLogger(__name__)


class DisabledLookup:
    """Knows them all, at most two seconds late: one small query for all requests of that time.

    While Postgres does not answer those known so far count, so that events are taken meanwhile.

    Args:
        store: Where users are kept.
        clock: Seconds, monotonic.
    """

    def __init__(self, store: DisabledUsers, clock: Callable[[], float]) -> None:
        self._store = store
        self._set: WholeSet[UUID, bool] = WholeSet(self._read, FRESH_S, FRESH_S, clock)
        self._outage = Outage("list of disabled users", _LOG, clock=clock)

    async def has(self, user_id: UUID) -> bool:
        """Tell whether a user is disabled."""
        return bool(await self._set.get(lambda known: known.get(user_id)))

    async def _read(self) -> Mapping[UUID, bool]:
        try:
            found = dict.fromkeys(await self._store.disabled(), True)
        except UnreachableError as error:
            self._outage.failed(error)
            return self._set.known
        self._outage.served()
        return found
