"""What sends HTTP requests to addresses that users name."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An outgoing HTTP request, rendered."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back; ``body`` is cut to the caller's limit, header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: str


class HttpClient(Protocol):
    """Sends HTTP requests to addresses that users name, guarded against reaching inside."""

    async def send(self, request: HttpRequest, *, within: float, body_limit: int) -> HttpAnswer:
        """Send and read at most ``body_limit`` bytes of the answer within ``within`` seconds.

        Raises:
            ActionFailedError: No connection, no answer in time (``effect_unknown``), or an address that is refused
                (permanent). An HTTP error status is an answer, not an exception.
        """
