"""Run a stand-in as a process: ``python -m app.embedded.stand_in`` and its arguments.

These are ``mail SMTP_PORT HTTP_PORT [HOST]``, ``webhooks PORT [HOST]`` or ``messages PORT [HOST]``; HOST is
127.0.0.1 by default. ``messages`` reads the credentials that it takes from the variables that the executors read.
"""

import asyncio
import os
import signal
import sys
from typing import Protocol

from app.embedded.free_ports import HOST
from app.embedded.mail import Mailbox
from app.embedded.message_providers import MessageProviders
from app.embedded.provider_logins import login_of
from app.embedded.webhook_receiver import WebhookReceiver


class _StandIn(Protocol):
    async def start(self) -> None: ...

    async def stop(self) -> None: ...


async def serve(stand_in: _StandIn) -> None:
    """Run ``stand_in`` until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await stand_in.start()
    await ended.wait()
    await stand_in.stop()


def main(arguments: list[str]) -> None:
    """Choose the stand-in and run it."""
    kind, *rest = arguments
    numbers = [int(word) for word in rest if word.isdigit()]
    host = next((word for word in rest if not word.isdigit()), HOST)
    asyncio.run(serve(_make(kind, numbers, host)))


def _make(kind: str, ports: list[int], host: str) -> _StandIn:
    if kind == "mail":
        return Mailbox(*ports, host=host)
    if kind == "messages":
        return MessageProviders(login_of(os.environ), *ports, host=host)
    return WebhookReceiver(*ports, host=host)


if __name__ == "__main__":
    main(sys.argv[1:])
