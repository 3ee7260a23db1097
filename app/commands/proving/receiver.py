"""The receiver of the load's webhooks: it writes each one down before it answers."""

import json
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from app.domain.errors import SetupError
from app.services.proving.ledger import Arrival

_BODY_LIMIT_BYTES: Final = 64 * 1024


class Receiver:
    """An HTTP server in the running event loop.

    What is no webhook of this run is refused: its path holds a word that only the run's workflows know.

    Args:
        host: Where it listens.
        port: Its port; 0: any that is free.
        word: What its path begins with.
        arrived: Called with each webhook, before it is answered.
    """

    def __init__(self, host: str, port: int, word: str, arrived: Callable[[Arrival], None]) -> None:
        self.refused = 0
        self._host = host
        self._port = port
        self._word = word
        self._arrived = arrived
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """Listen, and return the port.

        Raises:
            SetupError: It cannot be listened there.
        """
        app = web.Application(client_max_size=_BODY_LIMIT_BYTES)
        app.add_routes([web.post(f"/{self._word}/{{workflow}}", self._take)])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port, backlog=1024).start()
        except OSError as error:
            raise SetupError(
                f"the receiver of webhooks cannot listen at {self._host}:{self._port} ({error.strerror}); "
                "give another place with --listen"
            ) from None
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        at = time.time()
        try:
            said = json.loads(await request.read())
            number, entity = int(said["n"]), str(said["entity"])
        except (ValueError, KeyError, TypeError):
            self.refused += 1
            return web.Response(status=400)
        key = request.headers.get("Idempotency-Key", "")
        self._arrived(Arrival(key, request.match_info["workflow"], number, entity, at))
        return web.Response(text='{"taken":true}', content_type="application/json")


def place(listen: str) -> tuple[str, int]:
    """Return the host and the port of ``HOST:PORT``.

    Raises:
        ValueError: It is none.
    """
    parts = urlsplit(f"//{listen}")
    if not parts.hostname or parts.port is None or parts.path or parts.username:
        raise ValueError("should be like 10.0.0.5:9000, or 0.0.0.0:9000")
    return parts.hostname, parts.port
