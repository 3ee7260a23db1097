"""Judges a URL's host by the rule that its connection will be judged by, without connecting.

Its name is looked up, as the webhook would have it looked up; that is all that leaves the process.
"""

import asyncio
import ipaddress
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from app.adapters.http.address_guard import OUT_OF_BOUNDS, bounds_of, is_public
from app.adapters.http.names import Resolve, system_resolve
from app.ports.reach import Reach
from app.settings import Settings

_PORTS: Final = {"http": 80, "https": 443}


class GuardJudge:
    """Implements ``app.ports.reach.ReachJudge``.

    Args:
        settings: They say which private networks are open.
        resolve: Finds the addresses of names.
    """

    def __init__(self, settings: Settings, resolve: Resolve = system_resolve) -> None:
        self._may_reach = bounds_of(settings)
        self._resolve = resolve
        self._networks = "" if settings.webhook_allow_private else settings.webhook_allow_networks
        self._open = settings.webhook_allow_private

    @property
    def open_to(self) -> str | None:
        """Say which private networks are open."""
        if self._open:
            return "Webhooks may reach private networks and this machine here (HEADRACE_WEBHOOK_ALLOW_PRIVATE)"
        if self._networks:
            return f"Webhooks may reach the private networks {self._networks} here (HEADRACE_WEBHOOK_ALLOW_NETWORKS)"
        return None

    async def judge(self, url: str, *, within: float) -> Reach | None:
        """Look the host up, and judge each of its addresses: one that is let through is enough, as for a connection."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)
        except ValueError:
            return None
        if not host:
            return None
        try:
            addresses = await asyncio.wait_for(self._addresses(host, port), within)
        except (OSError, UnicodeError):  # TimeoutError is an OSError
            return Reach(host, "unresolved", f"{host} has no address now; it is judged again when it is called")
        reached = [address for address in addresses if self._may_reach(address)]
        if not reached:
            return Reach(host, "refused", f"{host} {OUT_OF_BOUNDS}")
        if not all(map(is_public, reached)):
            return Reach(host, "private", f"{host} {OUT_OF_BOUNDS}, which is let through here")
        return Reach(host, "public", f"{host} has a public address")

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            return await self._resolve(host, port)
