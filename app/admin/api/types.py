"""``/api/v1/event-types`` and ``/api/v1/action-types``: what workflows can be made of."""

from inspect import cleandoc
from typing import Final

from aiohttp import web

from app.actions.base import AnyAction
from app.actions.registry import REGISTRY
from app.admin.models import ActionTypeList, ActionTypeView, EventTypeList, EventTypeView
from app.admin.operations import Operation
from app.admin.requests import answer
from app.admin.state import STATE
from app.services.ingest.event_samples import SAMPLE_TYPES, sample_event
from schemas.event import Event


async def list_event_types(request: web.Request) -> web.Response:
    """List event types with a sample each."""
    topics = request.app[STATE].topics
    items = [
        EventTypeView(type=name, topic=topics.events(name), sample=Event.model_validate(sample_event(name)))
        for name in SAMPLE_TYPES
    ]
    return web.json_response(text=EventTypeList(items=items).model_dump_json(exclude_none=True))


async def list_action_types(_request: web.Request) -> web.Response:
    """List action types with the JSON Schema of their configs."""
    return answer(ActionTypeList(items=[_view(action) for action in REGISTRY]))


def _view(action: AnyAction) -> ActionTypeView:
    return ActionTypeView(
        type=action.name,
        family=action.family,
        description=cleandoc(type(action).__doc__ or ""),
        config_schema=action.config.model_json_schema(),
    )


OPERATIONS: Final = (
    Operation(
        "GET", "/api/v1/event-types", "listEventTypes", "List event types, each with a sample", list_event_types,
        {200: EventTypeList}, tag="types",
    ),
    Operation(
        "GET", "/api/v1/action-types", "listActionTypes", "List action types, each with its config's JSON Schema",
        list_action_types, {200: ActionTypeList}, tag="types",
    ),
)  # fmt: skip
