"""Gauges of the installation as a whole, set when Prometheus asks: counts of what there is, and the queue's depth."""

import asyncio
import logging
import math
from typing import Final

from app.admin.metrics import (
    ACTIONS_FAILED,
    BREAKERS_OPEN,
    DEAD_LETTERS_OPEN,
    PARKED,
    QUEUE_DEPTH,
    SET_ASIDE,
    WORKFLOWS_ACTIVE,
    WORKFLOWS_CREATED,
)
from app.domain.errors import UnreachableError
from app.services.operations.background import note_failure
from app.services.operations.queue_status import Queue

_LOG: Final = logging.getLogger(__name__)
_WITHIN_S: Final = 5.0
_SINGLE: Final = (
    BREAKERS_OPEN,
    PARKED,
    SET_ASIDE,
    DEAD_LETTERS_OPEN,
    ACTIONS_FAILED,
    WORKFLOWS_CREATED,
    WORKFLOWS_ACTIVE,
)


async def refresh_gauges(queue: Queue) -> None:
    """Set every gauge; what cannot be known now is not a number, so that no old value passes for a new one."""
    try:
        status, counts = await asyncio.wait_for(asyncio.gather(queue.status(), queue.workflows()), _WITHIN_S)
    except Exception as error:  # noqa: BLE001 - noted with its traceback; the page's other metrics count
        if isinstance(error, UnreachableError | TimeoutError):
            _LOG.warning("metrics: %s", error or f"no answer within {_WITHIN_S:g} s")
        else:
            note_failure("gauges", error)
        QUEUE_DEPTH.clear()
        for gauge in _SINGLE:
            gauge.set(math.nan)
        return
    QUEUE_DEPTH.clear()
    for role in status.roles:
        for lane in role.topics:
            QUEUE_DEPTH.labels(role.role, lane.topic).set(lane.depth)
    values = (
        len(status.breakers),
        status.parked,
        sum(found.count for found in status.set_aside),
        status.dead_letters,
        status.failed_actions,
        counts.created,
        counts.active,
    )
    for gauge, value in zip(_SINGLE, values, strict=True):
        gauge.set(value)
