"""The API as it is served in earnest: every connection behind its guard, with limits of the test's choice."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv4Network

from app.admin.bodies import Bodies
from app.admin.connections import Connections
from app.admin.limits import BodyLimits, ConnectionLimits
from app.admin.listening import listening
from app.admin.routes import build_app
from app.admin.state import STATE
from tests.admin.conftest import Api, User

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Served:
    """A server, and what it counts."""

    url: str
    bodies: Bodies
    connections: Connections

    def head(self, user: User | None, size: int | str, *more: str, path: str = "/api/v1/events") -> bytes:
        """Return the headers of a POST; ``size`` is its Content-Length, or another header that says how it ends."""
        lines = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json"]
        lines.append(f"Content-Length: {size}" if isinstance(size, int) else size)
        if user is not None:
            lines.append(f"Authorization: Bearer {user.token}")
        return "\r\n".join([*lines, *more, "", ""]).encode()


@asynccontextmanager
async def served(
    api: Api,
    limits: ConnectionLimits = ConnectionLimits(),  # noqa: B008 - frozen
    bodies: BodyLimits = BodyLimits(),  # noqa: B008 - frozen
    *,
    proxies: Sequence[IPv4Network] = (),
) -> AsyncIterator[Served]:
    """Serve the API of a test on a port of its own."""
    counted, connections = Bodies(bodies), Connections(limits, proxies)
    state = replace(api.app[STATE], bodies=counted)
    async with listening(build_app(state), connections, HOST, 0) as url:
        yield Served(url, counted, connections)
