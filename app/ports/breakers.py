"""Circuit breakers as the workers share them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from app.domain.breaker import BreakerState

Transition = Callable[[BreakerState | None, datetime], BreakerState | None]


class BreakerWatch(Protocol):
    """The breakers that are not closed, followed."""

    async def look(self) -> tuple[Mapping[str, BreakerState], datetime]:
        """Return the breakers that are not closed, by destination, and the store's time.

        Raises:
            UnreachableError: The store does not answer.
        """

    async def changed(self, within: float) -> None:
        """Return when a breaker may have changed, after ``within`` seconds at the latest.

        Raises:
            UnreachableError: The store does not answer.
        """


class BreakerStore(Protocol):
    """Where the workers share their breakers; written on transitions only."""

    async def change(self, destination: str, transition: Transition) -> tuple[BreakerState | None, datetime]:
        """Replace a breaker by what ``transition`` makes of it and of the store's time, one change after the other.

        Returns the breaker after that, and the time. Outages of the store are waited out inside.
        """

    def watch(self) -> AbstractAsyncContextManager[BreakerWatch]:
        """Begin to follow the breakers.

        Raises:
            UnreachableError: The store does not answer.
        """
