"""What led to an execution, and what it led to: the causation chain, as links up and down."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from aiohttp import web

from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.causation import Link, read_chain
from app.domain.errors import NotFoundError
from app.ports.executions import ExecutionDetail, ExecutionSummary

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Cause:
    """One link of the chain; ``found`` is None where it is gone, or not the viewer's to see."""

    execution_id: UUID
    found: ExecutionSummary | None


@dataclass(frozen=True, slots=True)
class Chain:
    """What led here, the oldest first, and what this led to.

    Attributes:
        earlier: How many more links there are before those that are shown.
    """

    up: Sequence[Cause] = ()
    down: Sequence[ExecutionSummary] = field(default_factory=list)
    earlier: int = 0


async def chain_of(request: web.Request, one: ExecutionDetail) -> Chain:
    """Return the chain around an execution."""
    text = one.event.get("causation")
    links = read_chain(text if isinstance(text, str) else None)
    shown = links[-_SHOWN:]
    up = [await _cause(request, link) for link in shown]
    down = await request.app[STATE].runs.executions.led_to(request[CALLER], one)
    return Chain(up, down, len(links) - len(shown))


async def _cause(request: web.Request, link: Link) -> Cause:
    try:
        found = await request.app[STATE].runs.executions.get(request[CALLER], link.execution_id)
    except NotFoundError:
        return Cause(link.execution_id, None)
    return Cause(link.execution_id, found)
