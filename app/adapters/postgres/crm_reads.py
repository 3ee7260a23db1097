"""Looking customers and orders up in the reference systems, over a connection a look."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

import psycopg

from app.adapters.postgres.pool import persistently
from app.ports import CrmReads

T = TypeVar("T")
Connect = Callable[[], AbstractAsyncContextManager[psycopg.AsyncConnection[Any]]]


class PostgresReads:
    """Implements ``app.ports.CrmReads``.

    Args:
        connect: Lends a connection.
        crm: The reference systems over one.
        patient: Wait outages of Postgres out, as workers do.
    """

    def __init__(
        self, connect: Connect, crm: Callable[[psycopg.AsyncConnection[Any]], CrmReads], *, patient: bool
    ) -> None:
        self._connect = connect
        self._crm = crm
        self._patient = patient

    async def customers(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return customers by id."""
        return await self._look(lambda crm: crm.customers(ids))

    async def customers_after(self, after: str, limit: int) -> list[dict[str, Any]]:
        """Return a page of customers."""
        return await self._look(lambda crm: crm.customers_after(after, limit))

    async def orders(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return orders by id."""
        return await self._look(lambda crm: crm.orders(ids))

    async def _look(self, ask: Callable[[CrmReads], Awaitable[T]]) -> T:
        async def once() -> T:
            async with self._connect() as connection:
                return await ask(self._crm(connection))

        return await persistently(once) if self._patient else await once()
