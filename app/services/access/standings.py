"""What users may now: their tokens hold for that alone, though nothing in a token can say what has changed since."""

import logging
from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from app.domain.errors import UnreachableError
from app.ports.users import Standing, Standings
from app.services.access.recent import WholeSet
from app.services.operations.outages import Outage

FRESH_S: Final = 2.0
_LOG: Final = logging.getLogger(__name__)


class StandingLookup:
    """Knows all users', at most two seconds late: one query for all requests of that time.

    While Postgres does not answer what is known so far counts, so that events are taken meanwhile.

    Args:
        store: Where users are kept.
        clock: Seconds, monotonic.
    """

    def __init__(self, store: Standings, clock: Callable[[], float]) -> None:
        self._store = store
        self._set: WholeSet[UUID, Standing] = WholeSet(self._read, FRESH_S, FRESH_S, clock)
        self._outage = Outage("list of users", _LOG, clock=clock)

    async def of(self, user_id: UUID) -> Standing | None:
        """Return a user's; None for who is none of ours, as the caller of another issuer's token may be."""
        return await self._set.get(lambda known: known.get(user_id))

    async def _read(self) -> Mapping[UUID, Standing]:
        try:
            found = await self._store.standings()
        except UnreachableError as error:
            self._outage.failed(error)
            return self._set.known
        self._outage.served()
        return found
