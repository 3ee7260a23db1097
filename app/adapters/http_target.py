"""Where a request goes and what it says there: from a URL to an origin and the bytes of a request's head."""

import re
from dataclasses import dataclass
from typing import Final

from yarl import URL

from app.domain.errors import ActionFailedError
from app.ports import HttpRequest

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LENGTH_IS_DUE: Final = frozenset({"POST", "PUT", "PATCH"})
# URLs that need no quoting and no IDNA, which is most of them, are taken apart here; the others by yarl.
_PLAIN: Final = re.compile(
    r"(https?)://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::(\d{1,5}))?((?:/(?!\.)(?:[A-Za-z0-9\-._~!$&'()*+,;=:@?]|%[0-9A-F]{2})*)*)"
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what a connection belongs to."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """The Host header: the port only where it is not the scheme's."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def parse_url(url: str) -> tuple[Origin, str]:
    """Return a URL's origin, and its path and query quoted for the request line.

    Raises:
        ActionFailedError: Permanent; no http or https URL with a host.
    """
    plain = _PLAIN.fullmatch(url)
    if plain:
        scheme, host, port, target = plain.groups()
        return _origin(scheme, host, int(port) if port else DEFAULT_PORTS[scheme]), target or "/"
    try:
        parsed = URL(url)
        if parsed.scheme in DEFAULT_PORTS and parsed.raw_host and parsed.user is None and parsed.password is None:
            port_number = parsed.port if parsed.port is not None else DEFAULT_PORTS[parsed.scheme]
            return _origin(parsed.scheme, parsed.raw_host, port_number), parsed.raw_path_qs or "/"
    except ValueError:
        pass
    raise ActionFailedError("url: no http request can be made of it", permanent=True)


def encode_request(request: HttpRequest, origin: Origin, target: str, ours: str) -> bytes:
    """Return the bytes of a request; ``ours`` are header lines that every request carries, each ended by CRLF.

    Raises:
        ActionFailedError: Permanent; a header or the method cannot be written.
    """
    lines = [f"{request.method} {target} HTTP/1.1", f"Host: {origin.authority}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    body = request.body
    if body is not None or request.method in _LENGTH_IS_DUE:
        lines.append(f"Content-Length: {len(body or b'')}")
    for line in lines:
        if "\r" in line or "\n" in line or "\x00" in line:
            raise ActionFailedError(f"headers: a line break in {line.partition(':')[0][:100]!r}", permanent=True)
    try:
        head = ("\r\n".join(lines) + "\r\n" + ours + "\r\n").encode()
    except UnicodeEncodeError:
        raise ActionFailedError("headers: a lone surrogate, which UTF-8 cannot carry", permanent=True) from None
    return head + body if body else head


def _origin(scheme: str, host: str, port: int) -> Origin:
    if not 0 < port < 65_536:  # noqa: PLR2004 - the range of port numbers
        raise ActionFailedError(f"url: there is no port {port}", permanent=True)
    return Origin(scheme, host, port)
