"""Hosts that something may go to, as administrators list them: ``api.example.com``, ``*.example.com``, ``[::1]:8443``.

A URL that two programs could read in two ways (a user name in front, a backslash, letters beyond ASCII in the host) is
on none, so that nothing goes elsewhere than it was judged for. A host without a port stands for the usual ports, since
what listens on another port may be another's.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from app.domain.origins import DEFAULT_PORTS

USUAL_PORTS: Final = frozenset(DEFAULT_PORTS.values())
MAX_HOST_CHARS: Final = 253
_WRITTEN: Final = re.compile(r"(?P<any>\*\.)?(?P<host>\[[0-9a-fA-F:.]+\]|[^:/@\[\]*]+)(?::(?P<port>\*|[0-9]{1,5}))?")
_NAME: Final = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:\[\]-]+")  # a URL's host and port, without a user or an escape
_SHAPE: Final = "must be a host such as api.example.com, *.example.com or api.example.com:8443, or * for all"


def host_problem(written: str) -> str | None:
    """Return what keeps a text from being a listed host; None where nothing does."""
    match = _WRITTEN.fullmatch(written)
    if match is None:
        return _SHAPE
    host = match["host"]
    if not host.isascii():
        return "has letters beyond ASCII; write it as it is in DNS, xn--..."
    if match["port"] not in (None, "*") and not 0 < int(match["port"]) < 1 << 16:
        return "has a port that there is not"
    name = _canonical(host)
    if _is_address(name):
        return "a * stands for names, not for addresses" if match["any"] else None
    if len(name) > MAX_HOST_CHARS or not _NAME.fullmatch(name):
        return _SHAPE
    return "a * needs two names behind it, such as *.example.com" if match["any"] and "." not in name else None


def may_go_to(url: str, hosts: Iterable[str]) -> bool:
    """Tell whether a URL leads to one of the hosts; what is no URL leads nowhere."""
    place = _place(url)
    return place is not None and any(_matches(host, *place) for host in hosts)


def _place(url: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if not host or port is None or not _PLAIN.fullmatch(parts.netloc) or "\\" in url:
        return None
    return _canonical(host), port


@lru_cache(maxsize=1024)
def _matches(written: str, host: str, port: int) -> bool:
    if written == "*":
        return True
    match = _WRITTEN.fullmatch(written)
    if match is None or not _port_matches(match["port"], port):
        return False
    listed = _canonical(match["host"])
    return host.endswith(f".{listed}") and not _is_address(host) if match["any"] else host == listed


def _port_matches(written: str | None, port: int) -> bool:
    return written == "*" or (port in USUAL_PORTS if written is None else port == int(written))


def _canonical(host: str) -> str:
    bare = host.strip("[]").lower().removesuffix(".")
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return bare


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
