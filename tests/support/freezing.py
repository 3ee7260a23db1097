"""Servers that hang: alive, with their connections open, and silent."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import psutil


@contextmanager
def frozen(address: str) -> Iterator[None]:
    """Freeze the server that listens at a URL or ``host:port`` of this machine, with all its processes, for a block."""
    port = urlsplit(address if "//" in address else f"//{address}").port
    listening = {
        one.pid
        for one in psutil.net_connections("tcp")
        if one.status == psutil.CONN_LISTEN and one.pid and one.laddr and one.laddr.port == port
    }
    assert listening, f"nothing on this machine listens on {port}"
    server = [psutil.Process(pid) for pid in listening]
    every = [*server, *(child for one in server for child in one.children(recursive=True))]
    pids = {one.pid for one in every}
    try:
        for pid in pids:
            _send(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            _send(pid, signal.SIGCONT)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
