"""Origins of URLs: scheme, host and port (RFC 6454)."""

from typing import Final
from urllib.parse import SplitResult

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def origin(url: SplitResult) -> str:
    """Return ``scheme://host:port`` of an http or https URL, the port always said."""
    host = url.hostname or ""
    return f"{url.scheme}://{f'[{host}]' if ':' in host else host}:{url.port or DEFAULT_PORTS.get(url.scheme)}"
