"""The page of a worker: its metrics for Prometheus, and whether anything in its background fails (``/readyz``)."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import orjson
from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from app.services.operations.background import failing

_LOOPBACK: Final = "127.0.0.1"
MOST_CONNECTIONS: Final = 20
WITHIN_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.2


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Log nothing: Prometheus asks every few seconds."""


class _Server(ThreadingWSGIServer):
    """Serves each connection in a thread of its own, so many at once, and none for longer than ``within`` seconds."""

    within = WITHIN_S

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._since: dict[Any, float] = {}

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection, if there are not too many."""
        if len(self._since) >= MOST_CONNECTIONS:
            super().shutdown_request(request)
            return
        self._since[request] = time.monotonic()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection that was served."""
        self._since.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """End, every now and then, connections that take too long, even while their threads wait."""
        late = time.monotonic() - self.within
        for request, since in list(self._since.items()):
            if since < late:
                with suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that breaks off."""


def serve_page(
    port: int,
    registry: CollectorRegistry,
    *,
    within: float = WITHIN_S,
    failing: Callable[[], Mapping[str, str]] = failing,
) -> WSGIServer:
    """Serve the page in a thread of its own; ``shutdown`` ends it.

    Args:
        port: On the loopback address; 0 for any that is free.
        registry: What it shows; see :mod:`app.metrics.roles`.
        within: Seconds after which a connection ends.
        failing: Returns the background tasks in which something failed of late, and what.
    """
    server = _Server((_LOOPBACK, port), _Silent)
    server.within = within
    server.set_app(_page(registry, failing))
    threading.Thread(target=server.serve_forever, args=(_LOOK_EVERY_S,), name="metrics page", daemon=True).start()
    return server


def _page(
    registry: CollectorRegistry, failing: Callable[[], Mapping[str, str]]
) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    metrics = make_wsgi_app(registry)

    def page(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/readyz":
            found: Iterable[bytes] = metrics(environ, start_response)
            return found
        tasks = failing()
        status = "503 Service Unavailable" if tasks else "200 OK"
        start_response(status, [("Content-Type", "application/json")])
        return [orjson.dumps({"status": "failing" if tasks else "ok", "failing": tasks})]

    return page
