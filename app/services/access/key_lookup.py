"""Who calls with an API key: all keys in use are kept in memory and read again every few seconds.

So a good call costs a digest and a look into a dict, all keys that are made up cost one small query a second together,
and a key that was revoked is refused within those seconds.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from app.domain.api_keys import digest_of
from app.domain.callers import Caller
from app.domain.errors import UnreachableError
from app.ports import ApiKey, KnownKeys
from app.services.access.recent import WholeSet

FRESH_S: Final = 3.0
ASK_AGAIN_S: Final = 1.0
_NOTED_EVERY: Final = timedelta(minutes=1)


class KeyLookup:
    """Finds the principal of a key.

    Args:
        store: Where keys are kept.
        clock: Seconds, monotonic.
        now: The clock, in UTC.
    """

    def __init__(
        self,
        store: KnownKeys,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._now = now
        self._keys: WholeSet[bytes, ApiKey] = WholeSet(self._read, FRESH_S, ASK_AGAIN_S, clock)
        self._noted: dict[bytes, datetime] = {}

    async def caller(self, text: str) -> Caller | None:
        """Return the principal of a key; None for one that is not in use.

        Raises:
            UnreachableError: The keys cannot be read.
        """
        digest = digest_of(text)
        if digest is None:
            return None
        found = await self._keys.get(lambda known: known.get(digest))
        now = self._now()
        if found is None or (found.expires_at is not None and found.expires_at <= now):
            return None
        await self._note(digest, found, now)
        return Caller(found.id, "user", found.permissions, is_key=True)

    async def _read(self) -> Mapping[bytes, ApiKey]:
        known = await self._store.in_use()
        self._noted = {key: at for key, at in self._noted.items() if key in known}
        return known

    async def _note(self, digest: bytes, found: ApiKey, now: datetime) -> None:
        last = self._noted.get(digest) or found.last_used
        if last is None or now - last >= _NOTED_EVERY:
            self._noted[digest] = now  # first, so that calls at the same time do not note it too
            with suppress(UnreachableError):  # it does hold
                await self._store.note_use(found.id)
