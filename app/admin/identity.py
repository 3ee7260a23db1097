"""Who calls, and how often an address may get that wrong.

Every token is checked, also after bad ones from its address, so that those behind one address (NAT, a proxy) are not
held back by one among them who guesses. What an address has too much of is failures: they are answered with 429 then.
A check costs some 50 us and no query, which is what a flood of them costs; 256 bits cannot be guessed.
"""

from aiohttp import web

from app.admin.addresses import client_address
from app.admin.auth import Authenticator, UnauthorizedError
from app.domain.callers import Caller
from app.metrics.admin import FAILED_TOKENS
from app.services.access.rate_limit import RateLimitedError, RateLimiter
from app.settings import Settings


class Identity:
    """Reads callers off requests.

    Args:
        authenticator: Checks tokens.
        failures: Counts those of each address that did not hold.
        settings: Which proxies are trusted.
    """

    def __init__(self, authenticator: Authenticator, failures: RateLimiter, settings: Settings) -> None:
        self._authenticator = authenticator
        self._failures = failures
        self._proxies = settings.proxy_networks

    def admitted(self, granted: Caller) -> Caller:
        """Return a user with what every user may; a key as it is."""
        return self._authenticator.admitted(granted)

    async def granted(self, request: web.Request) -> Caller:
        """Return who calls, with what their token or key grants by itself.

        Raises:
            UnauthorizedError: There is no token, or it does not hold.
            ForbiddenError: It holds, and names no role of ours.
            RateLimitedError: It does not hold, like too many others of the same address.
            UnreachableError: It cannot be checked now.
        """
        header = request.headers.get("Authorization")
        try:
            return await self._authenticator.granted(header)
        except UnauthorizedError:
            if header:
                self._count(client_address(request, self._proxies))
            raise

    def _count(self, address: str) -> None:
        try:
            self._failures.take(address)
        except RateLimitedError:
            FAILED_TOKENS.labels("429").inc()
            raise
        FAILED_TOKENS.labels("401").inc()
