"""What goes over the wire for a request: to which origin, and as which bytes (RFC 9112, 3)."""

import re
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from yarl import URL

from app.domain.origins import DEFAULT_PORTS
from app.ports import HttpRequest

# What no line of a head may hold: it would end there, and the rest be another line.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# Where the body ends, and whom the request is for, is said here.
_OURS: Final = frozenset({"content-length", "host", "transfer-encoding"})
_WITHOUT_BODY: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


Defaults = tuple[tuple[str, str], ...]


class Origin(NamedTuple):
    """Whom a connection is to; requests of one origin share connections."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, taken apart.

    Attributes:
        named: The host, and the port where it is not the usual one.
        path: Path and query.
        credentials: The URL's user name and password, as a header's value.
    """

    origin: Origin
    named: str
    path: str
    credentials: str | None


@lru_cache(maxsize=1024)
def target_of(url: str) -> Target:
    """Take a URL apart.

    Raises:
        ValueError: No HTTP request can be made of it.
    """
    parsed = URL(url)
    host, port, named = parsed.raw_host, parsed.port, parsed.host_port_subcomponent
    if parsed.scheme not in DEFAULT_PORTS or not host or port is None or named is None:
        raise ValueError("no http url")
    if host.endswith(".."):
        host = host.rstrip(".") + "."
    credentials = None
    if parsed.raw_user or parsed.raw_password:
        credentials = "Basic " + b64encode(f"{parsed.user or ''}:{parsed.password or ''}".encode("latin-1")).decode()
    return Target(Origin(parsed.scheme, host, port), named, parsed.raw_path_qs or "/", credentials)


def encoded(request: HttpRequest, target: Target, defaults: Defaults) -> bytes:
    """Return a request's bytes.

    Args:
        request: What to send.
        target: Its URL, taken apart.
        defaults: Headers to send where the request has none of that name: names in lower case, and the lines.

    Raises:
        ValueError: The method is none, or a header would break out of its line or say where the request ends.
    """
    headers, body, method = request.headers, request.body, request.method.upper()
    values = "".join(headers.values())
    if not _TOKEN.fullmatch(method) or (not values.isprintable() and _CONTROL.search(values)):
        raise ValueError("no http request")
    ours = _beside((*headers,), target.credentials, defaults)
    theirs = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    length = f"Content-Length: {len(body or b'')}\r\n" if body is not None or method not in _WITHOUT_BODY else ""
    head = f"{method} {target.path} HTTP/1.1\r\nHost: {target.named}\r\n{ours}{theirs}{length}\r\n"
    return head.encode() + (body or b"")


@lru_cache(maxsize=1024)
def _beside(names: tuple[str, ...], credentials: str | None, defaults: Defaults) -> str:
    """Return the lines that go beside the headers of some names: webhooks of a workflow have the same each time."""
    if _CONTROL.search("".join(names)):
        raise ValueError("a control character in a header's name")
    named = {name.lower() for name in names}
    if not named.isdisjoint(_OURS) or (credentials is not None and "authorization" in named):
        raise ValueError("a header that is not the request's to say")
    lines = [line for name, line in defaults if name not in named]
    lines += [] if credentials is None else [f"Authorization: {credentials}"]
    return "".join(f"{line}\r\n" for line in lines)
