"""``/api/v1/event-types`` and ``/api/v1/action-types``: what workflows can be made of."""

from functools import cache
from inspect import cleandoc
from typing import Final

from aiohttp import web

from app.actions.base import AnyAction
from app.actions.registry import REGISTRY
from app.admin.models import ActionTypeList, ActionTypeView
from app.admin.operations import Operation
from app.admin.requests import CALLER, answer
from app.admin.state import STATE
from app.services.operations.event_type_report import EventTypeList, EventTypeView


async def list_event_types(request: web.Request) -> web.Response:
    """List event types as they are known and were seen."""
    return _shown(await request.app[STATE].event_types.listed(request[CALLER]))


async def get_event_type(request: web.Request) -> web.Response:
    """Show one."""
    return _shown(await request.app[STATE].event_types.one(request[CALLER], request.match_info["type"]))


async def list_action_types(_request: web.Request) -> web.Response:
    """List action types with the JSON Schema of their configs."""
    return answer(action_types())


@cache
def action_types() -> ActionTypeList:
    """Return every action type; they are the same for as long as the process lives."""
    return ActionTypeList(items=[_view(action) for action in REGISTRY])


def _shown(body: EventTypeList | EventTypeView) -> web.Response:
    return web.json_response(text=body.model_dump_json(exclude_none=True))


def _view(action: AnyAction) -> ActionTypeView:
    return ActionTypeView(
        type=action.name,
        family=action.family,
        description=cleandoc(type(action).__doc__ or ""),
        config_schema=action.config.model_json_schema(),
    )


OPERATIONS: Final = (
    Operation(
        "GET", "/api/v1/event-types", "listEventTypes", "List event types, with what was really seen of them",
        list_event_types, {200: EventTypeList}, tag="types",
    ),
    Operation(
        "GET", "/api/v1/event-types/{type}", "getEventType", "Show an event type that is known or was seen",
        get_event_type, {200: EventTypeView}, tag="types",
    ),
    Operation(
        "GET", "/api/v1/action-types", "listActionTypes", "List action types, each with its config's JSON Schema",
        list_action_types, {200: ActionTypeList}, tag="types",
    ),
)  # fmt: skip
