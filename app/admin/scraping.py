"""Who may read ``/metrics``: on loopback every client, elsewhere one with its token or the permission to operate."""

import hmac

from aiohttp import web

from app.admin.addresses import is_loopback
from app.admin.auth import ForbiddenError
from app.admin.identity import Identity
from app.settings import Settings


class Scraping:
    """Lets Prometheus in.

    Args:
        settings: Where the API listens, and the token for its metrics.
        identity: Knows callers, who are let in too if they may operate.
    """

    def __init__(self, settings: Settings, identity: Identity) -> None:
        self._token = settings.metrics_token.get_secret_value()
        self._open = not self._token and is_loopback(settings.admin_host)
        self._identity = identity

    async def admit(self, request: web.Request) -> None:
        """Return if metrics may be shown to the client.

        Raises:
            UnauthorizedError: No token, or one that does not hold.
            ForbiddenError: The token's user may not operate.
            RateLimitedError: It does not hold, like too many others of the same address.
        """
        if self._open or self._is_ours(request.headers.get("Authorization", "")):
            return
        caller = self._identity.admitted(await self._identity.granted(request))
        if not caller.may("operate"):
            raise ForbiddenError("This needs the permission operate, or HEADRACE_METRICS_TOKEN")

    def _is_ours(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        given = token.strip().encode()
        return bool(self._token) and scheme.lower() == "bearer" and hmac.compare_digest(given, self._token.encode())
