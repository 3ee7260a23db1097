"""Pages of the gallery, kept until a template changes; an hour at most, and only so many bytes of them.

A page is kept for who asked for it, since everybody sees other templates. It is kept only while this process is told of
every change (``app.ports.templates.KeptLists``): one that cannot hear of changes reads each page anew.
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, Final
from uuid import UUID

from app.domain.caching import WeighedCache
from schemas.base import encode
from schemas.template import Template

TTL_S: Final = 3600.0
BYTES: Final = 16 * 1024 * 1024
# What a template takes in memory, for each byte of its JSON; and what an entry takes by itself.
_WEIGHS: Final = 5
_ENTRY: Final = 1_000


class TemplateLists:
    """Implements ``app.ports.templates.KeptLists``, and reads through what is kept.

    Args:
        clock: Monotonic seconds.
        most: Bytes in all; one user's pages have a quarter of it.
    """

    def __init__(self, clock: Callable[[], float], most: int = BYTES) -> None:
        self._clock = clock
        self._pages: WeighedCache[Hashable, tuple[float, Any]] = WeighedCache(most)
        self._told = False
        self._changes = 0

    def trust(self) -> None:
        """Keep pages from now on: every change is heard of."""
        self.forget()
        self._told = True

    def distrust(self) -> None:
        """Keep none: a change may pass unheard."""
        self._told = False
        self.forget()

    def forget(self) -> None:
        """Read everything anew: a template has changed."""
        self._changes += 1
        self._pages.clear()

    async def rows(
        self, owner: UUID, key: Hashable, read: Callable[[], Awaitable[Sequence[Template]]]
    ) -> Sequence[Template]:
        """Return a page of a user's, as it is kept or else as it is read."""
        if not self._told:
            return await read()
        kept = self._pages.get((owner, key))
        if kept is not None and self._clock() < kept[0]:
            found: Sequence[Template] = kept[1]
            return found
        changes = self._changes
        rows = await read()
        # What was read while a template changed may be either state.
        if self._told and changes == self._changes:
            weight = _ENTRY + _WEIGHS * sum(len(encode(row)) for row in rows)
            self._pages.put((owner, key), (self._clock() + TTL_S, rows), weight, owner)
        return rows
