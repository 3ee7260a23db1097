"""Reading bodies: whole, in time, at a rate, and never more bytes at once than this process and the caller may take.

Nothing of a body is read before its caller is known (``app.admin.middleware.guarded``), a 100 Continue included.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

import aiohttp
from aiohttp import web
from aiohttp.http import HttpProcessingError

from app.admin.limits import BodyLimits
from app.admin.problems import (
    CallerFullError,
    FullError,
    TooLargeError,
    TooSlowError,
    UnsupportedTypeError,
    problem_response,
)
from app.admin.unpacking import ENCODINGS, BrokenError, Unpacker
from app.domain.errors import FieldError, InvalidError
from app.metrics.admin import BODY_BYTES, BODY_REFUSALS


class Hold:
    """The bytes that one request holds; all of them are given back at its end."""

    def __init__(self, bodies: "Bodies", caller: UUID) -> None:
        self._bodies = bodies
        self._caller = caller
        self.size = 0

    def grow(self, count: int) -> None:
        """Take more.

        Raises:
            CallerFullError: The caller has too many under way.
            FullError: This process has.
        """
        self._bodies.take(self._caller, count)
        self.size += count


HOLD: Final = web.RequestKey("hold", Hold)


class Bodies:
    """The bytes of all bodies that are read or worked on.

    Args:
        limits: What bodies may take.
    """

    def __init__(self, limits: BodyLimits) -> None:
        self.limits = limits
        self.held = 0
        self._of: Counter[UUID] = Counter()

    @contextmanager
    def holding(self, caller: UUID) -> Iterator[Hold]:
        """Count what a request takes, until it is answered or broken off."""
        hold = Hold(self, caller)
        try:
            yield hold
        finally:
            self._give_back(caller, hold.size)

    def take(self, caller: UUID, count: int) -> None:
        """Count bytes of a caller; see :meth:`Hold.grow`."""
        if self._of[caller] + count > self.limits.most_each:
            raise _counted("caller_full", CallerFullError(self.limits.most_each))
        if self.held + count > self.limits.most:
            raise _counted("full", FullError())
        self._of[caller] += count
        self.held += count
        BODY_BYTES.set(self.held)

    def _give_back(self, caller: UUID, count: int) -> None:
        self._of[caller] -= count
        if not self._of[caller]:
            del self._of[caller]
        self.held -= count
        BODY_BYTES.set(self.held)


async def read_body(request: web.Request, limits: BodyLimits, most: int) -> bytes:
    """Read a body of at most ``most`` bytes, as it is once it is unpacked.

    Raises:
        TooLargeError: It has more.
        TooSlowError: It is not here in time, or comes too slowly.
        CallerFullError: With it its caller would have too many bytes under way.
        FullError: This process would.
        UnsupportedTypeError: It is packed in a way that is not read here.
        InvalidError: It is not packed as it says, or breaks off.
    """
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ENCODINGS:
        raise UnsupportedTypeError("Send the body as it is, or with one Content-Encoding: gzip or deflate")
    if (request.content_length or 0) > most:
        raise _counted("too_large", TooLargeError(most))
    await _go_on(request)
    try:
        return await _collect(request, Unpacker(encoding), limits, most)
    except (BrokenError, web.RequestPayloadError, HttpProcessingError, ConnectionError):
        said = f" or is not {encoding}, as its Content-Encoding says" if encoding else ""
        raise _counted("broken", InvalidError([FieldError("", f"the body breaks off{said}")])) from None


async def _collect(request: web.Request, unpacker: Unpacker, limits: BodyLimits, most: int) -> bytes:
    hold, body = request[HOLD], bytearray()
    async for piece in _pieces(request, limits):
        unpacked = unpacker.feed(piece, most - len(body))
        if len(body) + len(unpacked) > most:
            raise _counted("too_large", TooLargeError(most))
        hold.grow(len(unpacked))
        body += unpacked
    unpacker.end()
    return bytes(body)


async def _pieces(request: web.Request, limits: BodyLimits) -> AsyncIterator[bytes]:
    clock = asyncio.get_running_loop().time
    began, received = clock(), 0
    while True:
        due = began + min(limits.within, max(limits.grace, received / limits.rate))
        try:
            async with asyncio.timeout_at(due):
                piece = await request.content.readany()
        except TimeoutError:
            raise _counted("too_slow", TooSlowError(limits.within, limits.rate)) from None
        if not piece:
            return
        received += len(piece)
        yield piece


async def wait_with_the_body(request: web.Request) -> web.Response | None:
    """Leave it to :func:`read_body` to say that the body may come (``Expect: 100-continue``).

    Returns:
        The answer to who expects something else; the router knows no other way, and no middleware of ours is asked.
    """
    if request.headers.get("Expect", "").lower() == "100-continue":
        return None
    return problem_response(417, "Expect holds something else than 100-continue")


async def _go_on(request: web.Request) -> None:
    if "Expect" in request.headers and request.version >= aiohttp.HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun


def _counted(reason: str, error: Exception) -> Exception:
    BODY_REFUSALS.labels(reason).inc()
    return error
