"""The page of a worker: whether it lives (``/healthz``) and is ready (``/readyz``), and its metrics for Prometheus.

It is served by threads of its own and answers from what is known: nothing that hangs makes it wait, the worker's event
loop included. It asks nobody who they are, so it listens on loopback unless HEADRACE_METRICS_HOST says otherwise.
"""

import errno
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import orjson
from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from app.domain.errors import SettingsError
from app.services.operations.health import Health

MOST_CONNECTIONS: Final = 20
WITHIN_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.2

Body = Iterable[bytes]
Page = Callable[[dict[str, Any], Any], Body]


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Log nothing: Prometheus asks every few seconds."""


class _Server(ThreadingWSGIServer):
    """Serves each connection in a thread of its own, so many at once, and none for longer than ``within`` seconds."""

    within = WITHIN_S

    def __init__(self, family: socket.AddressFamily, address: Any) -> None:
        self.address_family = family
        self._since: dict[Any, float] = {}
        super().__init__(address, _Silent)

    def server_bind(self) -> None:
        """Listen, without asking the DNS for a name of our own, which may take its time."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]
        self.setup_environ()

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
    host: str, port: int, health: Health, registry: CollectorRegistry, *, within: float = WITHIN_S
) -> WSGIServer:
    """Serve the page in threads of its own; ``shutdown`` ends it.

    Args:
        host: Address or name to listen on.
        port: 0 for any that is free.
        health: Whether the process is ready.
        registry: What it exports; see :mod:`app.metrics.roles`.
        within: Seconds after which a connection ends.

    Raises:
        SettingsError: It cannot listen there; names the variable.
    """
    server = _listening(host, port)
    server.within = within
    server.set_app(_page(health, registry))
    threading.Thread(target=server.serve_forever, args=(_LOOK_EVERY_S,), name="worker page", daemon=True).start()
    return server


def _listening(host: str, port: int) -> _Server:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return _Server(family, address)
    except socket.gaierror as error:
        raise SettingsError(f"HEADRACE_METRICS_HOST: {host} is no address of this machine: {error.strerror}") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"HEADRACE_METRICS_PORT: {host}:{port} is in use, by another worker of this machine or another program:"
                " give each worker a port of its own, or 0 for no page"
            ) from None
        name = "HEADRACE_METRICS_HOST" if error.errno == errno.EADDRNOTAVAIL else "HEADRACE_METRICS_PORT"
        raise SettingsError(f"{name}: cannot listen on {host}:{port}: {error.strerror}") from None


def _page(health: Health, registry: CollectorRegistry) -> Page:
    metrics = make_wsgi_app(registry)

    def healthz(_environ: dict[str, Any], start_response: Any) -> Body:
        return _say(start_response, {"status": "ok" if health.lives() else "failing"}, ok=health.lives())

    def readyz(_environ: dict[str, Any], start_response: Any) -> Body:
        checks = health.checks()
        ok = all(check.ok for check in checks.values())
        return _say(start_response, {"status": "ok" if ok else "failing", "checks": checks}, ok=ok)

    pages: dict[str, Page] = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}

    def page(environ: dict[str, Any], start_response: Any) -> Body:
        found = pages.get(environ["PATH_INFO"])
        if found is None:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"there are /healthz, /readyz and /metrics\n"]
        if environ["REQUEST_METHOD"] != "GET":
            start_response("405 Method Not Allowed", [("Content-Type", "text/plain"), ("Allow", "GET")])
            return [b"GET only\n"]
        return found(environ, start_response)

    return page


def _say(start_response: Any, what: dict[str, Any], *, ok: bool) -> Body:
    start_response("200 OK" if ok else "503 Service Unavailable", [("Content-Type", "application/json")])
    return [orjson.dumps(what)]
