"""One HTTP/1.1 connection: writes a request, parses the answer as it arrives, keeps no more of it than asked for."""

import asyncio
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

MAX_ANSWER_BYTES: Final = 64 * 1024
_FIRST_FINAL_STATUS: Final = 200


class BrokenAnswerError(ConnectionError):
    """What came back is no HTTP, or its headers do not end."""


class Connection(asyncio.Protocol):
    """A connection and the exchange that runs on it; one at a time.

    Attributes:
        status: The answer's status; 0 until its headers are complete.
        headers: The answer's headers, names in lower case; of repeated ones the last.
        body: The answer's body, up to the limit of the exchange.
        reusable: The last exchange ended cleanly and the server keeps the connection open.
        idle_since: When it was last given back (the loop's time).
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.reusable = False
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._parser: HttpResponseParser | None = None
        self._ended: asyncio.Future[None] | None = None
        self._received = 0
        self._limit = 0

    async def exchange(self, request: bytes, body_limit: int) -> None:
        """Send a request and wait for the end of its answer, or for as much of it as is read at most.

        Raises:
            ConnectionError: The connection ended before the answer's headers did, or they are broken.
        """
        if self._transport is None:
            raise ConnectionResetError("closed while idle")
        self.status, self.headers, self.body = 0, {}, bytearray()
        self.reusable, self._received, self._limit = False, 0, body_limit
        self._parser = HttpResponseParser(self)
        self._ended = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        await self._ended

    def close(self) -> None:
        """Drop the connection, whatever it is in the middle of."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    # -- called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment] # uvloop's transports are no subclasses

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; bytes that nobody asked for end the connection."""
        if self._parser is None or self._ended is None or self._ended.done():
            self.close()
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._end(BrokenAnswerError(str(error)))
            return
        if self._received > max(self._limit, MAX_ANSWER_BYTES):
            self._end(BrokenAnswerError(f"headers of more than {MAX_ANSWER_BYTES} bytes"))

    def connection_lost(self, exc: Exception | None) -> None:
        """End the exchange with what there is of an answer."""
        self._transport = None
        self.reusable = False
        self._end(ConnectionResetError("closed before the answer") if exc is None else exc)

    # -- called by the parser

    def on_message_begin(self) -> None:
        """Start over: what came before was an interim answer.

        Raises:
            BrokenAnswerError: It was the final one, so this answers a request that was never sent.
        """
        if self._ended is not None and self._ended.done():
            self.close()
            raise BrokenAnswerError("a second answer")
        self.headers = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Keep the status, unless it is an interim one (103 Early Hints …)."""
        status = self._parser.get_status_code() if self._parser else 0
        self.status = status if status >= _FIRST_FINAL_STATUS else 0

    def on_body(self, body: bytes) -> None:
        """Keep the body up to the limit."""
        if len(self.body) < self._limit:
            self.body += body[: self._limit - len(self.body)]

    def on_message_complete(self) -> None:
        """End the exchange cleanly."""
        if self.status and self._parser is not None and self._ended is not None and not self._ended.done():
            self.reusable = self._parser.should_keep_alive() and self._transport is not None
            self._ended.set_result(None)

    def _end(self, error: Exception) -> None:
        """End the exchange early: with the answer if its headers are here, else with the error."""
        if self._ended is None or self._ended.done():
            return
        if self.status:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(error if isinstance(error, OSError) else BrokenAnswerError(str(error)))
