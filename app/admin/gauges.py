"""Gauges of the installation as a whole, set when Prometheus asks: counts of what there is, and the queue's depth."""

import asyncio
import logging
import math
from typing import Final

from app.domain.errors import UnreachableError
from app.metrics.admin import (
    ACTIONS_FAILED,
    BREAKERS_OPEN,
    DEAD_LETTERS_OPEN,
    EXECUTION_SECONDS,
    EXECUTIONS_PER_MINUTE,
    PARKED,
    QUEUE_DEPTH,
    SET_ASIDE,
    SUCCESS_RATE,
    WORKFLOWS_ACTIVE,
    WORKFLOWS_CREATED,
)
from app.services.operations.background import note_failure
from app.services.operations.outages import Outage
from app.services.operations.queue_status import Queue, QueueStatus

_LOG: Final = logging.getLogger(__name__)
_WITHIN_S: Final = 5.0


def _said(error: Exception) -> str:
    return str(error) or f"no answer within {_WITHIN_S:g} s"


_OUTAGE: Final = Outage("figures of the installation", _LOG, say=_said)
_SINGLE: Final = (
    BREAKERS_OPEN,
    PARKED,
    SET_ASIDE,
    DEAD_LETTERS_OPEN,
    ACTIONS_FAILED,
    WORKFLOWS_CREATED,
    WORKFLOWS_ACTIVE,
    EXECUTIONS_PER_MINUTE,
    SUCCESS_RATE,
    EXECUTION_SECONDS,
)


async def refresh_gauges(queue: Queue) -> None:
    """Set every gauge; what cannot be known now is not a number, so that no old value passes for a new one."""
    try:
        asked = asyncio.gather(queue.status(), queue.workflows(), queue.recent())
        status, counts, recent = await asyncio.wait_for(asked, _WITHIN_S)
    except Exception as error:  # noqa: BLE001 - noted with its traceback; the page's other metrics count
        if isinstance(error, UnreachableError | TimeoutError):
            _OUTAGE.failed(error)
        else:
            note_failure("gauges", error)
        QUEUE_DEPTH.clear()
        for gauge in _SINGLE:
            gauge.set(math.nan)
        return
    _OUTAGE.served()
    _show_depths(queue, status)
    values = (
        len(status.breakers),
        status.parked,
        sum(found.count for found in status.set_aside),
        status.dead_letters,
        status.failed_actions,
        counts.created,
        counts.active,
        recent.per_minute,
        recent.success_rate,
        recent.seconds,
    )
    for gauge, value in zip(_SINGLE, values, strict=True):
        gauge.set(value)


def _show_depths(queue: Queue, status: QueueStatus) -> None:
    """Show the depth of every topic that a role reads, 0 where nothing waits."""
    found = {(role.role, lane.topic): lane.depth for role in status.roles for lane in role.topics}
    for lane in queue.lanes:
        QUEUE_DEPTH.labels(lane.role, lane.topic).set(found.get((lane.role, lane.topic), 0))
