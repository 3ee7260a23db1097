"""aiohttp's protocol of one connection, whose own refusals are problem documents as ours are.

What is no HTTP, or has a line longer than is read, never becomes a request that our middleware sees.
"""

from typing import Final

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.http_exceptions import LineTooLong

from app.admin.problems import SECURITY, problem_response

_TOO_LONG: Final = "The request line, or a header, is longer than is read here; the most is 8190 bytes"
_NO_HTTP: Final = "This is no HTTP request"
_OURS: Final = "Something went wrong here"


class Protocol(web.RequestHandler):
    """Answers as aiohttp does, in our words."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Say in a problem document what aiohttp found wrong; the connection is closed after it.

        Raises:
            ConnectionError: An answer was begun.
        """
        super().handle_error(request, status, exc, message)
        said = _OURS
        if isinstance(exc, HttpProcessingError):
            said = _TOO_LONG if isinstance(exc, LineTooLong) else _NO_HTTP
        response = problem_response(status, said, headers=SECURITY)
        response.force_close()
        return response
