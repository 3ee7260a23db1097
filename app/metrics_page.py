"""The page of a worker: its metrics for Prometheus, and whether anything in its background fails (``/readyz``)."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import orjson
from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from app.services.background import failing

_LOOPBACK: Final = "127.0.0.1"


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Log nothing: Prometheus asks every few seconds."""


def serve_page(port: int) -> WSGIServer:
    """Serve the page in a thread of its own; ``shutdown`` ends it."""
    server = make_server(_LOOPBACK, port, _page(), ThreadingWSGIServer, handler_class=_Silent)
    threading.Thread(target=server.serve_forever, name="metrics page", daemon=True).start()
    return server


def _page() -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    metrics = make_wsgi_app()

    def page(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/readyz":
            found: Iterable[bytes] = metrics(environ, start_response)
            return found
        tasks = failing()
        status = "503 Service Unavailable" if tasks else "200 OK"
        start_response(status, [("Content-Type", "application/json")])
        return [orjson.dumps({"status": "failing" if tasks else "ok", "failing": tasks})]

    return page
