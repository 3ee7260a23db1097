"""A destination that refuses every first attempt and asks to be tried again later, and what it must have seen."""

from collections import Counter
from collections.abc import Collection
from http import HTTPStatus
from typing import Final
from uuid import UUID

from aiohttp import web

from app.embedded.free_ports import HOST
from tests.faults.judge import Verdict

_ATTEMPTS: Final = 2


class Refusing:
    """An HTTP server in the running event loop: 503 with Retry-After to the first request of a key, 200 to the others.

    Args:
        retry_after_s: What it asks for.
    """

    def __init__(self, retry_after_s: int) -> None:
        self._retry_after_s = retry_after_s
        self._runner: web.AppRunner | None = None
        self.seen: Counter[str] = Counter()
        self.url = ""

    async def start(self) -> None:
        """Listen on a free port."""
        app = web.Application()
        app.add_routes([web.post("/{path:.*}", self._take)])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0, backlog=1024).start()
        self.url = f"http://{HOST}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        await request.read()
        key = request.headers["Idempotency-Key"]
        self.seen[key] += 1
        if self.seen[key] > 1:
            return web.Response()
        return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": str(self._retry_after_s)})


def judge_retries(verdict: Verdict, seen: Counter[str], wanted: Collection[UUID], uncertain: Collection[UUID]) -> None:
    """Each command must have come twice: refused, then taken. More is a repeat, which the log must say.

    Args:
        verdict: What is written into.
        seen: Requests by their key.
        wanted: The commands.
        uncertain: Those whose result says that they may have happened twice.
    """
    left = Counter({UUID(key): count for key, count in seen.items()})
    for command in wanted:
        count = left.pop(command, 0)
        if count < _ATTEMPTS:
            verdict.lost += 1
            verdict.blame(f"the retried command {command} was sent {count} times, not {_ATTEMPTS}")
        elif count > _ATTEMPTS and command in uncertain:
            verdict.duplicated_marked += count - _ATTEMPTS
        elif count > _ATTEMPTS:
            verdict.duplicated_unmarked += count - _ATTEMPTS
            verdict.blame(f"the retried command {command} was sent {count} times, unmarked")
    for command in left:
        verdict.duplicated_unmarked += 1
        verdict.blame(f"a retry that nobody asked for: {command}")
