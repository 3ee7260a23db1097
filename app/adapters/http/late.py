"""An HTTP client for a process that may need none: what a request takes is loaded with the first one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import cast

from app.adapters.http.address_guard import IPNetwork
from app.ports import HttpAnswer, HttpClient, HttpRequest


@asynccontextmanager
async def open_late_client(
    *, allow_private: bool, allow_networks: Sequence[IPNetwork] = (), now: bool = False
) -> AsyncIterator[HttpClient]:
    """Open a client that opens itself with its first request; closed at the end.

    Args:
        allow_private: As in ``open_http_client``.
        allow_networks: As there.
        now: Open it at once, since the process surely needs it: its first request is not to wait for that.
    """
    async with AsyncExitStack() as stack:
        client = LateClient(stack, allow_private=allow_private, allow_networks=allow_networks)
        yield await client.opened() if now else client


class LateClient:
    """Implements ``app.ports.HttpClient``.

    Args:
        stack: Closes what was opened.
        allow_private: As in ``open_http_client``.
        allow_networks: As there.
    """

    def __init__(self, stack: AsyncExitStack, *, allow_private: bool, allow_networks: Sequence[IPNetwork]) -> None:
        self._stack = stack
        self._allowed = {"allow_private": allow_private, "allow_networks": allow_networks}
        self._opening = asyncio.Lock()
        self._client: HttpClient | None = None

    async def send(self, request: HttpRequest, *, within: float, body_limit: int) -> HttpAnswer:
        """Send, as the client that is opened does; what opening it takes is not of the request's time."""
        client = self._client or await self.opened()
        return await client.send(request, within=within, body_limit=body_limit)

    async def opened(self) -> HttpClient:
        """Return the client, opened; a thread loads it, so that nothing else waits."""
        async with self._opening:
            client = self._client
            if client is None:
                module = await asyncio.to_thread(import_module, "app.adapters.http.client")
                opened = await self._stack.enter_async_context(module.open_http_client(**self._allowed))
                client = self._client = cast("HttpClient", opened)
            return client
