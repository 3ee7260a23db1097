"""Keeps what a thread of ours runs for others inside bounds: libraries that connect by themselves, as Apprise does.

An audit hook (PEP 578) sees every connection at the moment it is made, by any library and after any number of
redirects: it is judged by the numeric address, so that neither a spelling nor a name whose answer changes gets
through. It refuses other programs, and files other than those that Python, its packages and the system bring along.
The hook stays for the process's life and judges only the threads that ask for it.
"""

import ipaddress
import os
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

from app.adapters.http.address_guard import OUT_OF_BOUNDS, MayReach, RefusedAddressError

_CONNECTS: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_PROGRAMS: Final = (
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "pty.",
    "_thread.start",
)
_READABLE: Final = tuple(
    f"{os.path.realpath(path)}{os.sep}"
    for path in {*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix, "/usr/share", "/etc/ssl", "/etc/pki"}
)
_READABLE_FILES: Final = frozenset({"/etc/mime.types", "/etc/resolv.conf", "/etc/hosts", "/etc/services", os.devnull})
_judged: Final = threading.local()


@contextmanager
def bounded(may_reach: MayReach) -> Iterator[list[str]]:
    """Keep the calling thread to addresses that ``may_reach`` lets through, until the block ends.

    What is refused raises ``RefusedAddressError`` where it was tried, and its text, which names no address, is added to
    the list that this yields: libraries keep errors to themselves.
    """
    _install()
    _judged.may_reach, _judged.refused = may_reach, []
    try:
        yield _judged.refused
    finally:
        del _judged.may_reach


@lru_cache(maxsize=1)
def _install() -> None:
    sys.addaudithook(_judge)


def _judge(event: str, details: tuple[Any, ...]) -> None:
    may_reach: MayReach | None = getattr(_judged, "may_reach", None)
    if may_reach is None:
        return
    problem = None
    if event in _CONNECTS:
        problem = None if details[1] is None or _reaches(details[1], may_reach) else OUT_OF_BOUNDS
    elif event == "open":
        problem = None if _is_readable(*details[:2]) else "reads a file of this machine"
    elif event.startswith(_PROGRAMS):
        problem = "runs a program, or a thread that nothing bounds"
    if problem is not None:
        _judged.refused.append(problem)
        raise RefusedAddressError(problem)


def _reaches(address: Any, may_reach: MayReach) -> bool:
    """Judge a socket's address; one by its name, or within this machine, is nowhere."""
    if not isinstance(address, tuple) or not isinstance(address[0], str):
        return False
    try:
        ipaddress.ip_address(address[0].partition("%")[0])
    except ValueError:
        return False
    return may_reach(address[0])


def _is_readable(path: Any, mode: Any) -> bool:
    if isinstance(path, int):
        return True
    name = os.path.realpath(os.fsdecode(path))
    writes = isinstance(mode, str) and not set(mode).isdisjoint("wax+")
    return name == os.devnull or (not writes and (name.startswith(_READABLE) or name in _READABLE_FILES))
