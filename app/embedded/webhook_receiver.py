"""A receiver of webhooks for the demo and the tests: strict about what it takes, and keeps it in order of arrival."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from time import time

import orjson
from aiohttp import web

from app.embedded.free_ports import HOST
from app.embedded.kept import routes_of

_KEPT = 50_000
_BODY_LIMIT_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST as it arrived.

    Attributes:
        number: Order of arrival, from 1.
        received_at: Seconds since the epoch.
        path: The path with its query.
        key: The Idempotency-Key.
        content_type: As sent, "" if it was not.
        body: The body as it was sent.
        traceparent: The trace that it belongs to, "" if it names none.
    """

    number: int
    received_at: float
    path: str
    key: str
    content_type: str
    body: bytes
    traceparent: str = ""

    def json(self) -> object:
        """Return the body, decoded.

        Raises:
            orjson.JSONDecodeError: It is no JSON.
        """
        decoded: object = orjson.loads(self.body)
        return decoded


@dataclass(slots=True)
class Behaviour:
    """How it answers, for tests that need a slow or a failing destination.

    Attributes:
        status: Answered to what is well formed.
        first: Answered to the next ones instead, one each; what was answered is taken off.
        delay_s: Seconds until it answers.
        headers: Headers that are sent with the answer.
    """

    status: int = 200
    first: list[int] = field(default_factory=list)
    delay_s: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()


class WebhookReceiver:
    """An HTTP server in the running event loop.

    ``POST`` to any path is recorded; ``GET /deliveries?after=N`` lists what came after number N, at most 1,000.

    Attributes:
        deliveries: What arrived, oldest first; the last ``kept``.
        refused: Why requests were refused, in order.
        behaviour: How it answers.
        count: How many arrived in all.
    """

    def __init__(self, port: int = 0, *, host: str = HOST, kept: int = _KEPT) -> None:
        self.deliveries: deque[Delivery] = deque(maxlen=kept)
        self.refused: deque[str] = deque(maxlen=kept)
        self.behaviour = Behaviour()
        self.count = 0
        self.port = port
        self._host = host
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    async def start(self) -> None:
        """Listen; port 0 picks a free one and is replaced by it.

        Raises:
            OSError: The port is taken.
        """
        app = web.Application(client_max_size=_BODY_LIMIT_BYTES)
        app.add_routes(
            [
                web.get("/deliveries", self._list),
                web.delete("/deliveries", self._clear),
                *routes_of(self.deliveries, ("body",)),
                web.post("/{path:.*}", self._take),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port, backlog=1024)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        fault = request_fault(request.headers.getall("Idempotency-Key", []), request.content_type, body)
        if fault:
            self.refused.append(f"{request.path_qs}: {fault}")
            return web.Response(status=400, text=fault)
        self.count += 1
        self.deliveries.append(
            Delivery(
                self.count,
                time(),
                request.path_qs,
                request.headers["Idempotency-Key"],
                request.headers.get("Content-Type", ""),
                body,
                request.headers.get("traceparent", ""),
            )
        )
        behaviour = self.behaviour
        status = behaviour.first.pop(0) if behaviour.first else behaviour.status
        if behaviour.delay_s:
            await asyncio.sleep(behaviour.delay_s)
        return web.Response(status=status, text='{"taken":true}', headers=list(behaviour.headers))

    async def _list(self, request: web.Request) -> web.Response:
        after = int(request.query.get("after", "0"))
        found = [one for one in self.deliveries if one.number > after][:_PAGE]
        rows = [
            {
                "number": one.number,
                "received_at": one.received_at,
                "path": one.path,
                "key": one.key,
                "content_type": one.content_type,
                "body": one.body.decode("utf-8", "replace"),
            }
            for one in found
        ]
        answer = {"count": self.count, "deliveries": rows, "refused": list(self.refused)[-_PAGE:]}
        return web.Response(body=orjson.dumps(answer), content_type="application/json")

    async def _clear(self, _request: web.Request) -> web.Response:
        self.deliveries.clear()
        self.refused.clear()
        return web.Response(status=204)


_PAGE = 1000


def request_fault(keys: list[str], content_type: str, body: bytes) -> str | None:
    """Return what is wrong with a webhook: exactly one Idempotency-Key, and JSON where JSON is declared."""
    if len(keys) != 1 or not keys[0].strip():
        return f"{len(keys)} Idempotency-Key headers, one is needed" if keys != [""] else "the Idempotency-Key is empty"
    if content_type == "application/json" or content_type.endswith("+json"):
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError:
            return "the body is declared as JSON and is none"
    return None
