"""Serves an application where it can be reached, every connection behind a guard."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from aiohttp import web
from aiohttp.http import HttpProcessingError

from app.admin.connections import Connections, Guard
from app.admin.limits import ConnectionLimits
from app.admin.protocol import Protocol
from app.domain.errors import SettingsError

_STOP_WITHIN_S: Final = 10.0
_BACKLOG: Final = 512
_LOG: Final = logging.getLogger(__name__)


@asynccontextmanager
async def listening(app: web.Application, connections: Connections, host: str, port: int) -> AsyncIterator[str]:
    """Serve for as long as the block runs; yields the URL.

    Raises:
        SettingsError: The port is taken.
    """
    runner = web.AppRunner(app, shutdown_timeout=_STOP_WITHIN_S)
    await runner.setup()
    try:
        server = await _bound(runner, connections, host, port)
        try:
            yield _url(server)
        finally:
            server.close()
    finally:
        await runner.cleanup()


async def _bound(runner: web.AppRunner, connections: Connections, host: str, port: int) -> asyncio.Server:
    behind = runner.server
    assert behind is not None
    loop = asyncio.get_running_loop()
    make = partial(_protocol, behind, connections.limits)
    try:
        return await loop.create_server(lambda: Guard(connections, make), host, port, backlog=_BACKLOG)
    except OSError as error:
        raise SettingsError(
            f"Cannot listen on {host}:{port} ({error.strerror or error}); set HEADRACE_ADMIN_PORT to a free port"
        ) from error


def _protocol(server: web.Server, limits: ConnectionLimits) -> Protocol:
    settings: dict[str, Any] = {
        "access_log": None,
        "logger": _LOG,
        "auto_decompress": False,  # app.admin.bodies does, and counts what it comes to
        # The guard closes idle connections; aiohttp's own time only begins where that has failed.
        "keepalive_timeout": 2 * (limits.idle + limits.headers_within),
        "lingering_time": limits.lingering,
        "read_bufsize": limits.read_buffer,
    }
    return Protocol(server, loop=asyncio.get_running_loop(), **settings)


def _url(server: asyncio.Server) -> str:
    host, port = server.sockets[0].getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_ours(record: logging.LogRecord) -> bool:
    """Tell what to log of what aiohttp does: not what callers send that is no HTTP, with a traceback each."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


_LOG.addFilter(_is_ours)
