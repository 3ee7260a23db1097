"""Who calls, by a bearer token or by a session's cookie, and how often an address may get that wrong.

Every token is checked, also after bad ones from its address, so that those behind one address (NAT, a proxy) are not
held back by one among them who guesses. What an address has too much of is failures: they are answered with 429 then.
A check costs some 50 us and no query, which is what a flood of them costs; 256 bits cannot be guessed.
"""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from app.admin.addresses import client_address
from app.admin.auth import Authenticator, UnauthorizedError
from app.admin.cookies import Cookies
from app.admin.forgery import Forgery
from app.domain.callers import Caller
from app.metrics.admin import FAILED_TOKENS
from app.ports.sessions import SignedIn
from app.services.access.rate_limit import RateLimitedError, RateLimiter
from app.services.access.sessions import Sessions
from app.services.access.standings import StandingLookup
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class BySession:
    """The session that a request came with."""

    token: str
    signed_in: SignedIn


BY_SESSION: Final = web.RequestKey("by_session", BySession)


class Identity:
    """Reads callers off requests.

    Args:
        authenticator: Checks tokens.
        failures: Counts those of each address that did not hold.
        settings: Which proxies are trusted, and where browsers reach the API.
        sessions: Finds the session of a cookie; None: cookies are not read.
        standings: Knows what users may now, which their tokens are held to; None: there is nobody.

    Attributes:
        forgery: Refuses what another site's page has sent.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        failures: RateLimiter,
        settings: Settings,
        sessions: Sessions | None = None,
        standings: StandingLookup | None = None,
    ) -> None:
        self._authenticator = authenticator
        self._failures = failures
        self._proxies = settings.proxy_networks
        self._sessions = sessions
        self._standings = standings
        self._cookies = Cookies(settings)
        self.forgery = Forgery(settings.public_url)

    def admitted(self, granted: Caller) -> Caller:
        """Return a user with what every user may; a key as it is."""
        return self._authenticator.admitted(granted)

    async def granted(self, request: web.Request) -> Caller:
        """Return who calls, with what their token, key or session grants by itself.

        A bearer token goes before a cookie: it was sent on purpose.

        Raises:
            UnauthorizedError: There is no token, or it does not hold.
            ForbiddenError: It holds, and names no role of ours; or a session's request may be forged.
            RateLimitedError: It does not hold, like too many others of the same address.
            UnreachableError: It cannot be checked now.
        """
        header, cookie = request.headers.get("Authorization"), self._cookies.read(request)
        try:
            if header is None and cookie and self._sessions is not None:
                return await self._by_session(request, cookie, self._sessions)
            return await self._by_token(header)
        except UnauthorizedError:
            if header or cookie:
                self._count(self.address(request))
            raise

    def address(self, request: web.Request) -> str:
        """Return where a request comes from, as far as proxies that are trusted say."""
        return client_address(request, self._proxies)

    async def _by_token(self, header: str | None) -> Caller:
        granted = await self._authenticator.granted(header)
        if granted.is_key or self._standings is None:
            return granted
        standing = await self._standings.of(granted.user_id)
        if standing is None:
            return granted
        if standing.out:
            raise UnauthorizedError(f"the user is {standing.out}")
        return granted.within(standing.role, standing.permissions)

    async def _by_session(self, request: web.Request, token: str, sessions: Sessions) -> Caller:
        found = await sessions.found(token)
        if found is None:
            raise UnauthorizedError("the session has ended; sign in again")
        self.forgery.check(request, token)
        request[BY_SESSION] = BySession(token, found)
        return found.caller

    def _count(self, address: str) -> None:
        try:
            self._failures.take(address)
        except RateLimitedError:
            FAILED_TOKENS.labels("429").inc()
            raise
        FAILED_TOKENS.labels("401").inc()
