"""Looks at the user's own CRM behind a circuit breaker of no owner, for one look serves many workflows."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from app.domain.errors import ActionFailedError
from app.execution.breakers import Breakers
from app.ports import CrmReads

T = TypeVar("T")


class GuardedReads:
    """Implements ``app.ports.CrmReads``; while the breaker is open nothing is sent.

    Args:
        reads: The CRM.
        breakers: The worker's.
        destination: The CRM's host, as the actions on it name it.
    """

    def __init__(self, reads: CrmReads, breakers: Breakers, destination: str) -> None:
        self._reads = reads
        self._breakers = breakers
        self._destination = destination

    async def customers(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return customers by id."""
        return await self._look(lambda: self._reads.customers(ids))

    async def customers_after(self, after: str, limit: int) -> list[dict[str, Any]]:
        """Return a page of customers."""
        return await self._look(lambda: self._reads.customers_after(after, limit))

    async def orders(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return orders by id."""
        return await self._look(lambda: self._reads.orders(ids))

    async def _look(self, look: Callable[[], Awaitable[T]]) -> T:
        admission = await self._breakers.admit(self._destination)
        if not admission.admitted:
            failing = f"circuit_open: {self._destination} is failing: {admission.reason}"
            raise ActionFailedError(failing, retry_after=admission.wait)
        try:
            found = await look()
        except ActionFailedError as error:
            await self._breakers.judge(self._destination, admission, error)
            raise
        await self._breakers.judge(self._destination, admission, None)
        return found
