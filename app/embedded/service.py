"""What the supervisor and the tests know of a broker or a database: it can be started, stopped and asked."""

import time
from collections.abc import Callable
from typing import Protocol

from app.domain.errors import SetupError


class Service(Protocol):
    """A thing with a life: a process of ours, a container, or a server that is not ours."""

    name: str

    @property
    def url(self) -> str:
        """Where clients reach it: bootstrap servers or a database URL."""
        ...

    @property
    def pid(self) -> int | None:
        """Its process, where there is one of ours."""
        ...

    def prepare(self) -> None:
        """Do what is needed once before a start: download, format, choose ports. May take a while; any thread."""
        ...

    def spawn(self) -> None:
        """Start it without waiting, from a thread that lives on."""
        ...

    def wait_ready(self) -> None:
        """Return once clients are served.

        Raises:
            SetupError: It ended or did not answer in time.
        """
        ...

    def alive(self) -> bool:
        """Return whether it runs, as far as can be told without asking it over the network."""
        ...

    def stop(self) -> None:
        """End it cleanly; what is not ours is left alone."""
        ...


def start(service: Service) -> None:
    """Bring ``service`` up: prepare, spawn, wait until it serves."""
    service.prepare()
    service.spawn()
    service.wait_ready()


def wait_until(ready: Callable[[], bool], alive: Callable[[], bool], within: float, what: str) -> None:
    """Poll ``ready`` every 50 ms.

    Raises:
        SetupError: ``alive`` turned false, or ``within`` seconds passed.
    """
    deadline = time.monotonic() + within
    while not ready():
        if not alive():
            raise SetupError(f"{what} ended while it was starting")
        if time.monotonic() > deadline:
            raise SetupError(f"{what} did not answer within {within:.0f} s")
        time.sleep(0.05)
