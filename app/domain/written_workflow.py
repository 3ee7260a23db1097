"""What a user writes of a workflow, in the one form in which two are compared: what is left out is filled in. Pure.

It takes any JSON, for a draft may be unfinished: what is of a wrong shape stays as it is, and whoever checks it says
what is wrong with it.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.domain.whole_numbers import whole

# In the order in which people read it.
WRITTEN: Final = ("name", "description", "priority", "reentry", "trigger", "conditions", "actions")
_DEFAULTS: Final[dict[str, Any]] = {"description": "", "priority": 5, "reentry": "always", "conditions": []}
_ACTION_DEFAULTS: Final[dict[str, Any]] = {"config": {}, "conditions": [], "on_error": None}


def comparable(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was written as it would be read back: defaults filled in, actions in the order they run."""
    full = {**_DEFAULTS, **body}
    full["priority"] = whole(full["priority"])
    trigger, actions = full.get("trigger"), full.get("actions")
    if isinstance(trigger, Mapping):
        full["trigger"] = {"config": {}, **trigger}
    if isinstance(actions, list):
        full["actions"] = sorted(map(_filled, actions), key=_order)
    return full


def written_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a workflow, a revision or an answer of the API its user wrote, to be compared."""
    return comparable({name: body[name] for name in WRITTEN if name in body})


def _filled(action: Any) -> Any:
    if not isinstance(action, Mapping):
        return action
    filled = {**_ACTION_DEFAULTS, **action}
    return {**filled, "order": whole(filled["order"])} if "order" in filled else filled


def _order(action: Any) -> float:
    order = action.get("order") if isinstance(action, Mapping) else None
    return order if isinstance(order, int | float) else float("inf")
