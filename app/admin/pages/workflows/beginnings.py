"""A workflow that was only begun: stored with a step that ends it, and gone on with in its draft, which has none.

What is live must be able to run, so there is no workflow without a step. One that has but this one does nothing, and is
not switched on by the list.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.written_workflow import comparable
from app.domain.zones import zone_named
from schemas.event_types import is_own_type
from schemas.workflow import Workflow

_STEP: Final = {"type": "stop_workflow", "order": 1, "config": {}}
# What a schedule is begun with, until somebody says otherwise.
_SCHEDULES: Final[Mapping[str, Mapping[str, Any]]] = {
    "temporal.daily": {},
    "temporal.weekly": {"days": ["mon"]},
    "temporal.monthly": {"day": 1},
}


def does_nothing(workflow: Workflow) -> bool:
    """Tell whether it was begun, and got no steps since."""
    return all(one.type == _STEP["type"] and not one.conditions for one in workflow.actions)


async def begin(
    request: web.Request, name: str, event_type: str, conditions: Sequence[Mapping[str, Any]], zone: str = ""
) -> Workflow:
    """Store one, switched off, with a draft that has no steps yet.

    Raises:
        InvalidError: The name, the type or a condition is wrong.
        ConflictError: The caller has as many workflows as a user may.
    """
    state, caller = request.app[STATE], request[CALLER]
    body = {
        "name": name,
        "trigger": {"type": event_type, "config": _config(event_type, zone)},
        "conditions": list(conditions),
    }
    made = await state.workflows.create(caller, {**body, "actions": [_STEP]})
    await state.editing.drafts.save(caller, made.id, None, comparable({**body, "actions": []}))
    return made


def _config(event_type: str, zone: str) -> dict[str, Any]:
    if not is_own_type(event_type):
        return {}
    return {"at": "09:00", **_timezone(zone), **_SCHEDULES.get(event_type, {})}


def _timezone(zone: str) -> dict[str, str]:
    """Return the zone that the browser says it is in, where we know it by that name."""
    try:
        zone_named(zone)
    except ValueError:
        return {}
    return {"timezone": zone}
