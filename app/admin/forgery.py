"""Requests that another site makes a browser send: refused by three signs, the last of which no other site can give.

``Sec-Fetch-Site`` and ``Origin`` are the browser's own words, which no page can change; the token in ``X-CSRF-Token``
only our own pages can read. A bearer token needs none of it: no browser adds one by itself.
"""

import hmac
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from app.admin.auth import ForbiddenError
from app.domain.sessions import csrf_token

HEADER: Final = "X-CSRF-Token"
# What a form has brought in the header's place.
GIVEN: Final = web.RequestKey("given_csrf", str)
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS: Final = frozenset({"same-origin", "none"})
_WITHOUT: Final = f"With a session send its csrf_token as {HEADER} (GET /api/v1/session says it)"
_STALE: Final = "The page that sent this is not of the session that you have now: perhaps you signed in again"


class Forgery:
    """Checks requests.

    Args:
        public_url: Where browsers reach the API; empty: at the host that they name.
    """

    def __init__(self, public_url: str) -> None:
        self._public = public_url

    def check_site(self, request: web.Request) -> None:
        """Let pass what no page of another site has sent.

        Raises:
            ForbiddenError: One has.
        """
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        if (site is not None and site not in _OURS) or (origin is not None and not self._is_ours(origin, request)):
            raise ForbiddenError("This was sent by another site's page")

    def check(self, request: web.Request, session_token: str) -> None:
        """Let pass what a session's own pages have sent: all that only reads, and what brings the session's token.

        Raises:
            ForbiddenError: It changes something, and is another site's, or brings no token or a wrong one.
        """
        if request.method in _SAFE:
            return
        self.check_site(request)
        given = request[GIVEN] if GIVEN in request else request.headers.get(HEADER, "")
        if not hmac.compare_digest(given.encode(errors="replace"), csrf_token(session_token).encode()):
            raise ForbiddenError(_STALE if GIVEN in request else _WITHOUT)

    def _is_ours(self, origin: str, request: web.Request) -> bool:
        if self._public:
            return origin == self._public
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        # The scheme is the proxy's to know, the host is what the browser asked for.
        return parts.scheme in {"http", "https"} and parts.netloc == request.host
