"""What sends HTTP requests to addresses that users name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

# Statuses that name another address to ask (RFC 9110, 15.4); others from 300 on lead nowhere.
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An outgoing HTTP request, rendered.

    Attributes:
        redirects: Most redirects to follow; with 0 a redirect is an answer like any other.
        body_is_secret: The body holds a secret, and may not be repeated to another origin.
        hosts: Where it may go, redirects included: by each secret that it uses that secret's hosts.
    """

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    redirects: int = 0
    body_is_secret: bool = False
    hosts: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back; ``body`` is cut to the caller's limit, header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: str


class HttpClient(Protocol):
    """Sends HTTP requests to addresses that users name, guarded against reaching inside."""

    async def send(self, request: HttpRequest, *, within: float, body_limit: int) -> HttpAnswer:
        """Send and read at most ``body_limit`` bytes of the answer within ``within`` seconds, redirects included.

        Raises:
            ActionFailedError: No connection, no answer in time (``effect_unknown``), or an address or a redirect that
                is refused (permanent). An HTTP error status is an answer, not an exception.
        """
