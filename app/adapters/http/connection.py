"""One connection to a server, over which one request is answered at a time."""

import asyncio
from typing import Any, Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

MAX_HEAD_BYTES: Final = 64 * 1024
DRAIN_BYTES: Final = 64 * 1024
# So much may come for each byte of a body: a chunk of one byte takes six.
MOST_PER_BYTE: Final = 8
_LEAST: Final = 100
_FINAL: Final = 200
_SWITCHING: Final = 101


class UnansweredError(OSError):
    """A request went out, and no answer came; the names of its kinds are what users read of them."""


class ServerDisconnectedError(UnansweredError):
    """The server hung up."""


class ClientOSError(UnansweredError):
    """The connection broke."""


class ClientResponseError(UnansweredError):
    """What came is no HTTP; the text says why."""


class Answer:
    """What has come of an answer so far; header names are in lower case."""

    __slots__ = ("body", "headers", "status")

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()


class Connection(asyncio.Protocol):
    """Sends requests and reads answers with llhttp, the parser of Node.js.

    An answer counts once its head is here: a body that breaks off, is too long or outlasts the time is cut. Whatever
    else comes than an answer to a request, the connection is not used again.
    """

    __slots__ = (
        "__weakref__",
        "_answer",
        "_asked",
        "_bodiless",
        "_has_head",
        "_keeps",
        "_limit",
        "_most",
        "_parser",
        "_received",
        "_size",
        "_timer",
        "_transport",
        "idle_since",
    )

    def __init__(self) -> None:
        self.idle_since = 0.0
        self._parser = HttpResponseParser(self)
        # As much as browsers forgive: stray control characters, lines that end without a carriage return.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self._asked: asyncio.Future[Answer] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._transport: Any = None
        self._answer = Answer()
        self._has_head = self._keeps = self._bodiless = False
        self._received = self._size = self._limit = self._most = 0

    @property
    def is_open(self) -> bool:
        """Whether the server has not hung up, so far as is known."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def is_reusable(self) -> bool:
        """Whether the answer is here to its end, the request went out to its end, and the server keeps on."""
        return self._keeps and self.is_open and not self._transport.get_write_buffer_size()

    def ask(self, request: bytes, *, until: float, limit: int, bodiless: bool) -> asyncio.Future[Answer]:
        """Send a request, and return what will be its answer, or an ``UnansweredError`` or a ``TimeoutError``.

        Args:
            request: Its bytes.
            until: When it is given up, on the loop's clock.
            limit: How much of the answer's body is kept.
            bodiless: The answer has no body, whatever its head says.
        """
        loop = asyncio.get_running_loop()
        self._answer, self._asked = Answer(), loop.create_future()
        self._has_head = self._keeps = False
        self._received = self._size = 0
        self._limit, self._most, self._bodiless = limit, max(limit, DRAIN_BYTES), bodiless
        asked = self._asked
        if self.is_open:
            self._timer = loop.call_at(until, self._give_up, TimeoutError())
            self._transport.write(request)
        else:  # it ended a moment ago, so that nothing will tell
            self._give_up(ServerDisconnectedError())
        return asked

    def close(self) -> None:
        """Hang up in order."""
        self._transport.close()

    def abort(self) -> None:
        """Hang up at once; what was asked stays unanswered."""
        self._give_up(ServerDisconnectedError())

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        """Take the end of the connection for the end of the answer, if there is one."""
        self._give_up(ServerDisconnectedError() if error is None else ClientOSError(*error.args))
        del self._parser  # it holds this connection, which holds it

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._asked is None:  # nothing was asked: what it says is no answer
            self._transport.abort()
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._give_up(ClientResponseError("another protocol"))
            return
        except HttpParserError as error:  # what our own calls raise is behind it
            self._give_up(ClientResponseError(str(error.__context__ or error)))
            return
        if self._asked is not None and self._received > MAX_HEAD_BYTES + self._has_head * MOST_PER_BYTE * self._most:
            self._give_up(ClientResponseError("a head that does not end"))

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Begin an answer, an interim one first perhaps; one that nobody asked for spoils the connection."""
        self._keeps = False
        if not self._has_head:
            self._answer.headers.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; one behind the body is none."""
        if not self._has_head:
            if 0 in value:
                raise ValueError("a header with a null byte")
            text = value.rstrip(b" \t").decode("utf-8", "surrogateescape")
            self._answer.headers[name.decode("utf-8", "surrogateescape").lower()] = text

    def on_headers_complete(self) -> None:
        """Know the status, unless this is an interim answer."""
        status = self._parser.get_status_code()
        if self._asked is None or self._has_head:  # of an answer that nobody asked for
            return
        if status < _LEAST:
            raise ValueError("a status that there is not")
        if status >= _FINAL or status == _SWITCHING:
            self._answer.status, self._has_head = status, True
            if self._bodiless or status == _SWITCHING:
                self._end()

    def on_body(self, chunk: bytes) -> None:
        """Keep what the limit leaves of the body; read on a little, for a connection at its end can be used again."""
        self._size += len(chunk)
        if self._asked is not None:
            body = self._answer.body
            body += chunk[: self._limit - len(body)]
            if self._size > self._most:  # its head is here, so that this is no error
                self._give_up(ClientResponseError("a body that does not end"))

    def on_message_complete(self) -> None:
        """Hand the answer over."""
        if self._has_head and self._asked is not None:
            self._keeps = self._parser.should_keep_alive()
            self._end()

    def _end(self) -> None:
        asked, self._asked = self._asked, None
        if self._timer is not None:
            self._timer.cancel()
        if asked is not None and not asked.done():
            asked.set_result(self._answer)

    def _give_up(self, error: Exception) -> None:
        """Hang up; what has come of the answer counts if its head has."""
        self._keeps = False
        self._transport.abort()
        asked = self._asked
        if asked is not None and not self._has_head and not asked.done():
            asked.set_exception(error)
        self._end()
