"""Cookies of sessions: ``__Host-`` with all that it stands for, and a plain one where there is no TLS to be had.

A browser keeps a ``__Host-`` cookie only by TLS, and lets no other host of the domain set one. Plain HTTP on loopback,
where ``make up`` and tests serve, has ``headrace_session`` instead. Which of the two counts is decided alike where a
cookie is set and where it is read: by TLS no plain one is ever read, which somebody else may have planted.
"""

from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from app.admin.addresses import is_loopback
from app.settings import Settings

SESSION: Final = "headrace_session"
_HOST: Final = "__Host-"


class Cookies:
    """Sets and reads one cookie.

    Args:
        settings: Where browsers reach the API.
        name: The cookie's name, without a prefix.
    """

    def __init__(self, settings: Settings, name: str = SESSION) -> None:
        self._public = settings.public_url
        self._name = name

    def read(self, request: web.Request) -> str | None:
        """Return what a request brings of it."""
        return request.cookies.get(self._named(request))

    def set(self, request: web.Request, response: web.Response, value: str, lives_s: int) -> None:
        """Give it to a browser."""
        response.set_cookie(
            self._named(request),
            value,
            max_age=lives_s,
            path="/",
            secure=self._secure(request),
            httponly=True,
            samesite="Lax",
        )

    def clear(self, request: web.Request, response: web.Response) -> None:
        """Take it from a browser."""
        response.del_cookie(self._named(request), path="/", secure=self._secure(request), httponly=True, samesite="Lax")

    def _named(self, request: web.Request) -> str:
        return f"{_HOST}{self._name}" if self._secure(request) else self._name

    def _secure(self, request: web.Request) -> bool:
        if self._public:
            return not is_plain_loopback(self._public)
        # Whoever forwards may be a proxy with TLS, whatever it calls us.
        forwarded = any(name in request.headers for name in ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded"))
        return forwarded or not is_plain_loopback(f"{request.scheme}://{request.host}")


def is_plain_loopback(url: str) -> bool:
    """Tell whether an address is this machine's own, without TLS."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and is_loopback(parts.hostname or "")
    except ValueError:
        return False
